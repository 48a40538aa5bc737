import BSSCore

extension Tokenizer {
    /// The tokenizer of a folder as Hugging Face models have it, or of one of its files.
    ///
    /// `vocab.txt`: WordPiece. `vocab.json` with `merges.txt`: byte pairs. Else `tokenizer.json`, which names its kind.
    /// `tokenizer_config.json` and `special_tokens_map.json` are honoured where they lie beside. `lowercases` overrides the files.
    /// - Throws: kind `.data` for what is missing, damaged or of another kind.
    public static func load(_ path: String, lowercases: Bool? = nil) throws -> Tokenizer {
        let files = TokenizerFiles(path)
        switch files.kind {
        case .wordPiece: return try files.wordPiece(lowercases)
        case .bytePairs: return try files.bytePairs()
        case .joined: return try files.joined(lowercases)
        case nil:
            throw BSSError(
                "tokenizer", Files.exists(path) ? "\(path) holds no tokenizer" : "no file or folder \(path)",
                hint: "needs vocab.txt, or vocab.json with merges.txt, or tokenizer.json", kind: .data)
        }
    }
}

private struct TokenizerFiles {
    enum Kind { case wordPiece, bytePairs, joined }

    let folder: String
    let kind: Kind?

    init(_ path: String) {
        guard !Files.isFolder(path) else {
            folder = path
            func has(_ name: String) -> Bool { Files.exists("\(path)/\(name)") }
            kind =
                has("vocab.txt")
                ? .wordPiece
                : has("vocab.json") && has("merges.txt") ? .bytePairs : has("tokenizer.json") ? .joined : nil
            return
        }
        let steps = path.split(separator: "/", omittingEmptySubsequences: false)
        folder = steps.count > 1 ? steps.dropLast().joined(separator: "/") : "."
        switch steps.last ?? "" {
        case _ where !Files.exists(path): kind = nil
        case "vocab.json", "merges.txt": kind = .bytePairs
        case let name where name.hasSuffix(".json"): kind = .joined
        default: kind = path.hasSuffix(".txt") ? .wordPiece : nil
        }
        file = path
    }

    /// The file that was named, if it was not a folder.
    private var file: String?

    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    private func table(_ path: String) throws -> Table {
        guard case .table(let table) = try JSON.parse(try Files.readText(path), source: path) else {
            throw BSSError("tokenizer", "\(path) is not an object", kind: .data)
        }
        return table
    }

    /// Settings beside the vocabulary; a file that is not there sets nothing.
    private func settings() throws -> Table {
        var all = Table()
        for name in ["special_tokens_map.json", "tokenizer_config.json"] where Files.exists(path(name)) {
            for (key, value) in try table(path(name)).fields { all[key] = value }
        }
        return all
    }

    /// `"[MASK]"` or `{"content": "[MASK]", …}`
    private func text(_ value: Value?) -> String? { value?.string ?? value?.table?["content"]?.string }

    private func marks(_ settings: Table) -> [String: String] {
        var names: [String: String] = [:]
        for (purpose, keys) in [
            ("unknown", ["unk_token"]), ("start", ["cls_token", "bos_token"]), ("end", ["sep_token", "eos_token"]),
            ("padding", ["pad_token"]), ("mask", ["mask_token"]),
        ] {
            for key in keys { if names[purpose] == nil { names[purpose] = text(settings[key]) } }
        }
        return names
    }

    private func options(_ settings: Table, _ lowercases: Bool?) -> WordPiece.Options {
        var options = WordPiece.Options()
        options.lowercases = lowercases ?? settings["do_lower_case"]?.bool ?? true
        options.stripsAccents = settings["strip_accents"]?.bool
        options.separatesIdeographs = settings["tokenize_chinese_chars"]?.bool ?? true
        return options
    }

    func wordPiece(_ lowercases: Bool?) throws -> Tokenizer {
        let source = file ?? path("vocab.txt")
        let settings = try settings()
        return try WordPiece(
            Vocabulary(lines: try Files.read(source)), options: options(settings, lowercases),
            markNames: marks(settings), source: source)
    }

    func bytePairs() throws -> Tokenizer {
        let settings = try settings()
        let vocabulary = try Vocabulary(table(path("vocab.json")), source: path("vocab.json"))
        var pairs: [(left: String, right: String)] = []
        for (number, line) in try Files.readText(path("merges.txt")).split(whereSeparator: \.isNewline).enumerated()
        where !(number == 0 && line.hasPrefix("#version")) {
            pairs.append(try pair(String(line), path("merges.txt")))
        }
        return try BytePairEncoding(vocabulary, merges: pairs, markNames: marks(settings), source: path("vocab.json"))
    }

    private func pair(_ line: String, _ source: String) throws -> (left: String, right: String) {
        let sides = line.split(separator: " ")
        guard sides.count == 2 else {
            throw BSSError("tokenizer", "\(source): \"\(line)\" is not a pair of tokens", kind: .data)
        }
        return (String(sides[0]), String(sides[1]))
    }

    /// `tokenizer.json` of the tokenizers library.
    func joined(_ lowercases: Bool?) throws -> Tokenizer {
        let source = file ?? path("tokenizer.json")
        let content = try table(source)
        let settings = try settings()
        guard let model = content["model"]?.table, let words = model["vocab"]?.table else {
            throw BSSError("tokenizer", "\(source) has no model with a vocabulary", kind: .data)
        }
        var added: [(token: String, id: Int)] = []
        for entry in content["added_tokens"]?.table?.items ?? [] {
            if let token = entry.table?["content"]?.string, let id = entry.table?["id"]?.int {
                added.append((token, id))
            }
        }
        let vocabulary = try Vocabulary(words, added: added, source: source)
        switch model["type"]?.string ?? (model["merges"] == nil ? "WordPiece" : "BPE") {
        case "WordPiece":
            var options = options(settings, lowercases)
            if let normalizer = content["normalizer"]?.table {
                guard normalizer["type"]?.string == "BertNormalizer" else {
                    throw BSSError(
                        "tokenizer", "\(source): its normalizer is \(normalizer["type"]?.described ?? "nameless")",
                        hint: "BertNormalizer is read", kind: .data)
                }
                options.lowercases = lowercases ?? normalizer["lowercase"]?.bool ?? options.lowercases
                options.stripsAccents = normalizer["strip_accents"]?.bool ?? options.stripsAccents
                options.separatesIdeographs = normalizer["handle_chinese_chars"]?.bool ?? options.separatesIdeographs
                options.cleans = normalizer["clean_text"]?.bool ?? true
            }
            options.longestWord = model["max_input_chars_per_word"]?.int ?? options.longestWord
            options.prefix = model["continuing_subword_prefix"]?.string ?? options.prefix
            return try WordPiece(
                vocabulary, options: options, markNames: marks(settings), added: added.map(\.id), source: source)
        case "BPE":
            guard let suffix = model["end_of_word_suffix"]?.string, !suffix.isEmpty else {
                throw BSSError(
                    "tokenizer", "\(source): byte pairs without an end-of-word suffix are not CLIP's",
                    hint: "CLIP's byte pairs and BERT's word pieces are read", kind: .data)
            }
            let pairs = try (model["merges"]?.table?.items ?? []).map { entry -> (left: String, right: String) in
                if let sides = entry.table?.items.compactMap(\.string), sides.count == 2 { return (sides[0], sides[1]) }
                return try pair(entry.string ?? "", source)
            }
            return try BytePairEncoding(
                vocabulary, merges: pairs, suffix: suffix, markNames: marks(settings), added: added.map(\.id),
                source: source)
        case let other:
            throw BSSError(
                "tokenizer", "\(source): a tokenizer of kind \"\(other)\"", hint: "WordPiece and BPE are read",
                kind: .data)
        }
    }
}
