import BSSCore
import BSSText
import Glibc
import Testing
import _BSSTestSupport

/// Tokens added to a vocabulary: the ids are those of Hugging Face tokenizers 0.23.3 for the same files.
@Suite struct AddedTokenTests {
    private static let words = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sat", "##s", "cats", "new", "##word", "word", "york",
        "##2", "2",
        "!", "the",
    ]
    private static let added = """
        {"id": 18, "content": "<ent>", "single_word": false, "lstrip": true, "rstrip": true, "normalized": false, \
        "special": true},
        {"id": 19, "content": "New York", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, \
        "special": false},
        {"id": 20, "content": "cat_x", "single_word": true, "lstrip": false, "rstrip": false, "normalized": false, \
        "special": false},
        {"id": 21, "content": "SAT", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, \
        "special": false},
        {"id": 22, "content": "<e>", "single_word": false, "lstrip": true, "rstrip": false, "normalized": false, \
        "special": false},
        {"id": 23, "content": "Été", "single_word": true, "lstrip": false, "rstrip": false, "normalized": true, \
        "special": false},
        {"id": 24, "content": "New York City", "single_word": false, "lstrip": false, "rstrip": false, \
        "normalized": true,
         "special": false}
        """
    private static let wanted: [(String, [Int])] = [
        ("the cat sat", [17, 6, 7]), ("the New York cat", [17, 19, 6]), ("the new york city cat", [17, 24, 6]),
        ("NEW YORKER", [19, 1]), ("a cat_x sat", [5, 20, 7]),
        ("a cat_xs cat_x2 xcat_x cat_x!", [5, 6, 1, 1, 6, 1, 1, 1, 1, 1, 20, 16]), ("SAT sat SATs", [21, 7, 21, 1]),
        ("a  <ent>  cat", [5, 18, 6]), ("a <e> cat", [5, 22, 6]),
        ("a<ent><e>cat  <e>  <ent> ", [5, 18, 22, 6, 22, 18]),
        ("l'ete ete étés ÉTÉ!", [1, 1, 23, 23, 1, 23, 16]), ("[MASK] [mask] a[MASK]", [4, 1, 1, 1, 5, 4]), ("", []),
        ("  ", []),
        ("<ent>", [18]),
    ]

    private func folder(_ files: [(String, String)]) throws -> (path: String, remove: () -> Void) {
        let path = "/tmp/bss-tokens-\(getpid())-\(files.map(\.0).joined())"
        try Files.makeFolder(path)
        for (name, text) in files { try Files.write(text, to: "\(path)/\(name)") }
        return (
            path,
            {
                for (name, _) in files { Files.remove("\(path)/\(name)") }
                rmdir(path)
            }
        )
    }

    private func check(_ files: [(String, String)]) throws {
        let (path, remove) = try folder(files)
        defer { remove() }
        let tokenizer = try Tokenizer.load(path)
        for (text, ids) in Self.wanted { #expect(tokenizer.tokenize(text) == ids, "\(files.map(\.0)): \(text)") }
        // Marks go, words that were added stay.
        #expect(try tokenizer.decode([2, 6, 18, 21, 7, 3]) == "cat SAT sat")
    }

    private var vocabulary: String { Self.words.joined(separator: "\n") + "\n" }

    @Test func inTokenizerJSON() throws {
        let words = Self.words.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
        let marks = (0..<5).map {
            "{\"id\": \($0), \"content\": \"\(Self.words[$0])\", \"special\": true, \"normalized\": false}"
        }
        try check([
            (
                "tokenizer.json",
                "{\"added_tokens\": [\(marks.joined(separator: ",")), \(Self.added)], \"normalizer\": {\"type\": "
                    + "\"BertNormalizer\", \"lowercase\": true}, \"model\": {\"type\": \"WordPiece\", \"vocab\": "
                    + "{\(words)}}}"
            )
        ])
    }

    @Test func inTokenizerConfiguration() throws {
        let table = try #require(JSON.parse("[\(Self.added)]").table)
        let decoder = table.items.compactMap(\.table).map { "\"\($0["id"]?.int ?? 0)\": \(JSON.text(.table($0)))" }
        try check([
            ("vocab.txt", vocabulary),
            ("tokenizer_config.json", "\u{FEFF}{\"added_tokens_decoder\": {\(decoder.joined(separator: ","))}}"),
        ])
    }

    /// `added_tokens.json` says no more than ids: words are found in lower case, marks as they are.
    @Test func inAFileOfTheirOwn() throws {
        let (path, remove) = try folder([
            ("vocab.txt", vocabulary), ("added_tokens.json", "{\"<ent>\": 18, \"New York\": 19}"),
            ("special_tokens_map.json", "{\"additional_special_tokens\": [\"<ent>\"]}"),
        ])
        defer { remove() }
        let tokenizer = try Tokenizer.load(path)
        #expect(tokenizer.tokenize("a <ent> NEW YORK <ENT>") == [5, 18, 19, 1, 1, 1])
        #expect(try tokenizer.vocabulary.count == 20 && tokenizer.decode([18, 19]) == "New York")
    }

    /// What a `tokenizer.json` says about words counts, and nothing else is taken for it.
    @Test func otherWordsAreRefused() throws {
        func load(_ steps: String, _ model: String, _ body: (Tokenizer) throws -> Void) throws {
            let (path, remove) = try folder([("tokenizer.json", "{\(steps), \"model\": {\(model)}}")])
            defer { remove() }
            try body(Tokenizer.load(path))
        }
        let words =
            "\"type\": \"WordPiece\", \"vocab\": {\"[UNK]\": 0, \"[CLS]\": 1, \"[SEP]\": 2, \"[PAD]\": 3, \"cat\": "
            + "4, \"Cat\": 5}"
        let pairs =
            "\"type\": \"BPE\", \"end_of_word_suffix\": \"</w>\", \"merges\": [], \"vocab\": {\"<|startoftext|>\": "
            + "0, \"<|endoftext|>\": 1}"
        // No normaliser: capitals stay.
        try load("\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}", words) {
            #expect($0.tokenize("Cat cat") == [5, 4])
        }
        for (steps, model) in [
            ("\"pre_tokenizer\": {\"type\": \"Metaspace\"}", words),
            ("\"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}", pairs),
            ("\"pre_tokenizer\": null", words), ("\"normalizer\": {\"type\": \"NFKC\"}", words),
        ] {
            #expect(throws: BSSError.self, "\(steps)") { try load(steps, model) { _ in } }
        }
    }

    @Test func wrongFilesAreErrors() throws {
        for (text, wanted) in [
            ("{\"<ent>\": 20}", "no token has the id 18"), ("{\"a\": 18, \"b\": 18}", "share the id 18"),
        ] {
            let (path, remove) = try folder([("vocab.txt", vocabulary), ("added_tokens.json", text)])
            defer { remove() }
            do {
                _ = try Tokenizer.load(path)
                Issue.record("read \(text)")
            } catch { #expect("\(error)".contains(wanted), "\(error)") }
        }
    }
}
