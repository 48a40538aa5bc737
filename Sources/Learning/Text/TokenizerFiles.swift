import BSSCore

extension Tokenizer {
    /// The tokenizer of a folder as Hugging Face models have it, or of one of its files.
    ///
    /// `vocab.txt`: WordPiece. `vocab.json` with `merges.txt`: byte pairs. Else `tokenizer.json`, which names its kind.
    /// `tokenizer_config.json` and `special_tokens_map.json` are honoured where they lie beside. `lowercases` overrides
    /// the files.
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
        guard case .table(let table) = try JSON.parse(try Files.readDataText(path), source: path) else {
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
        let added = try addedTokens(settings)
        let vocabulary = try Vocabulary(lines: try Files.readData(source), added: added, source: source)
        return try WordPiece(
            vocabulary, options: options(settings, lowercases), markNames: marks(settings),
            added: with(marksOf: settings, added, vocabulary), source: source)
    }

    func bytePairs() throws -> Tokenizer {
        let settings = try settings()
        let added = try addedTokens(settings)
        let vocabulary = try Vocabulary(table(path("vocab.json")), added: added, source: path("vocab.json"))
        var pairs: [(left: String, right: String)] = []
        for (number, line) in try Files.readDataText(path("merges.txt")).split(whereSeparator: \.isNewline).enumerated()
        where !(number == 0 && line.hasPrefix("#version")) {
            pairs.append(try pair(String(line), path("merges.txt")))
        }
        return try BytePairEncoding(
            vocabulary, merges: pairs, markNames: marks(settings), added: with(marksOf: settings, added, vocabulary),
            source: path("vocab.json"))
    }

    private func pair(_ line: String, _ source: String) throws -> (left: String, right: String) {
        let sides = line.split(separator: " ")
        guard sides.count == 2 else {
            throw BSSError("tokenizer", "\(source): \"\(line)\" is not a pair of tokens", kind: .data)
        }
        return (String(sides[0]), String(sides[1]))
    }

    /// Tokens added to the vocabulary, by what says most about them: `tokenizer.json`, then `added_tokens_decoder` of
    /// `tokenizer_config.json`, then `added_tokens.json`, where they are marks if the settings name them as such.
    /// - Throws: one id for two tokens.
    private func addedTokens(_ settings: Table, _ content: Table? = nil) throws -> [AddedToken] {
        var found: [Int: AddedToken] = [:]
        func add(_ token: AddedToken, _ source: String) throws {
            if let other = found[token.id], other.content != token.content {
                throw BSSError(
                    "tokenizer", "\(source): \"\(token.content)\" and \"\(other.content)\" share the id \(token.id)",
                    kind: .data)
            }
            if found[token.id] == nil { found[token.id] = token }
        }
        let whole = try content ?? (Files.exists(path("tokenizer.json")) ? table(path("tokenizer.json")) : nil)
        for entry in whole?["added_tokens"]?.table?.items ?? [] {
            guard let fields = entry.table, let id = fields["id"]?.int else { continue }
            if let token = token(fields, id: id) { try add(token, "tokenizer.json") }
        }
        for (key, entry) in settings["added_tokens_decoder"]?.table?.fields ?? [] {
            guard let fields = entry.table, let id = Int(key) else { continue }
            if let token = token(fields, id: id) { try add(token, "tokenizer_config.json") }
        }
        if Files.exists(path("added_tokens.json")) {
            let named = Set(
                settings.fields.flatMap { key, value -> [String] in
                    if key == "additional_special_tokens" { return (value.table?.items ?? []).compactMap { text($0) } }
                    return key.hasSuffix("_token") ? [text(value)].compactMap { $0 } : []
                })
            for (content, value) in try table(path("added_tokens.json")).fields {
                guard let id = value.int, id >= 0 else { continue }
                let isSpecial = named.contains(content)
                try add(
                    AddedToken(content: content, id: id, isSpecial: isSpecial, isNormalized: !isSpecial),
                    "added_tokens.json")
            }
        }
        return found.values.sorted { $0.id < $1.id }
    }

    /// The added tokens, and marks that the settings describe with more than their text.
    private func with(marksOf settings: Table, _ added: [AddedToken], _ vocabulary: Vocabulary) -> [AddedToken] {
        var all = added
        for (key, value) in settings.fields where key.hasSuffix("_token") {
            guard var fields = value.table, let id = fields["content"]?.string.flatMap(vocabulary.id) else { continue }
            fields["special"] = .bool(true)
            if !all.contains(where: { $0.id == id }), let token = token(fields, id: id) { all.append(token) }
        }
        return all
    }

    /// `{"content": "[MASK]", "lstrip": true, …}`; what is not said is false, but that what is no mark is found in
    /// normalised text.
    private func token(_ fields: Table, id: Int) -> AddedToken? {
        guard let content = fields["content"]?.string, id >= 0 else { return nil }
        func flag(_ name: String) -> Bool? { fields[name]?.bool }
        let isSpecial = flag("special") ?? false
        return AddedToken(
            content: content, id: id, isSpecial: isSpecial, isNormalized: flag("normalized") ?? !isSpecial,
            isSingleWord: flag("single_word") ?? false, stripsLeft: flag("lstrip") ?? false,
            stripsRight: flag("rstrip") ?? false)
    }

    /// What cuts a text into words, where the file says it: `kind`, alone or last of several steps.
    private func check(_ step: Value?, is kind: String, _ source: String) throws {
        guard let step else { return }
        let steps = step.table?["pretokenizers"]?.table?.items ?? [step]
        guard steps.last?.table?["type"]?.string == kind else {
            let found = steps.last?.table?["type"]?.string ?? step.described
            throw BSSError(
                "tokenizer", "\(source): its words are cut by \(found)", hint: "\(kind) is read with such a model",
                kind: .data)
        }
    }

    /// `tokenizer.json` of the tokenizers library.
    func joined(_ lowercases: Bool?) throws -> Tokenizer {
        let source = file ?? path("tokenizer.json")
        let content = try table(source)
        let settings = try settings()
        guard let model = content["model"]?.table, let words = model["vocab"]?.table else {
            throw BSSError("tokenizer", "\(source) has no model with a vocabulary", kind: .data)
        }
        let added = try addedTokens(settings, content)
        let vocabulary = try Vocabulary(words, added: added, source: source)
        switch model["type"]?.string ?? (model["merges"] == nil ? "WordPiece" : "BPE") {
        case "WordPiece":
            var options = options(settings, lowercases)
            try check(content["pre_tokenizer"], is: "BertPreTokenizer", source)
            if content["normalizer"]?.isNull == true { options = .plain(lowercases: lowercases ?? false) }
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
                vocabulary, options: options, markNames: marks(settings), added: added, source: source)
        case "BPE":
            guard let suffix = model["end_of_word_suffix"]?.string, !suffix.isEmpty else {
                throw BSSError(
                    "tokenizer", "\(source): byte pairs without an end-of-word suffix are not CLIP's",
                    hint: "CLIP's byte pairs and BERT's word pieces are read", kind: .data)
            }
            try check(content["pre_tokenizer"], is: "ByteLevel", source)
            let pairs = try (model["merges"]?.table?.items ?? []).map { entry -> (left: String, right: String) in
                if let sides = entry.table?.items.compactMap(\.string), sides.count == 2 { return (sides[0], sides[1]) }
                return try pair(entry.string ?? "", source)
            }
            return try BytePairEncoding(
                vocabulary, merges: pairs, suffix: suffix, markNames: marks(settings), added: added,
                source: source)
        case let other:
            throw BSSError(
                "tokenizer", "\(source): a tokenizer of kind \"\(other)\"", hint: "WordPiece and BPE are read",
                kind: .data)
        }
    }
}
