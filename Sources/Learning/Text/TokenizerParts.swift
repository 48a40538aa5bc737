import BSSCore

/// A tokenizer as scripts construct it: `bss.tokenizer.wordpiece{ "DIR" }`.
public struct TokenizerPart: Family {
    public static let familyName = "tokenizer"
    public static let noun = "tokenizer"
    public static let help = "From texts to the token ids of a vocabulary and back; what text encoders read."
    public static let parts: [Part<TokenizerPart>] = [wordPiece, bytePairs]

    public let tokenizer: Tokenizer

    private static let path = Argument<String>(
        "vocabulary",
        "a Hugging Face folder or one of its files; a relative path is looked up from the script and on the data path")
    private static let lowercases = Argument<Bool?>(
        "lowercase", default: nil, "lower case without accents; by default what the folder says, else true")

    private static func load<T: Tokenizer>(
        _ a: Arguments, _ type: T.Type, _ kind: String, lowercases: Bool? = nil
    ) throws -> TokenizerPart {
        let found = try SearchPath.find(a[path], operation: a.operation)
        let tokenizer = try Tokenizer.load(found, lowercases: lowercases)
        guard tokenizer is T else {
            throw BSSError(a.operation, "\(found) holds another kind of tokenizer", hint: "use \(kind)", kind: .data)
        }
        return TokenizerPart(tokenizer: tokenizer)
    }

    private static let wordPiece = Part<TokenizerPart>(
        "wordpiece", "BERT's word pieces: vocab.txt, or tokenizer.json.", [path, lowercases],
        source: "Devlin et al., NAACL 2019; Wu et al., arXiv 1609.08144, 2016",
        example:
            "local found, words = pcall(bss.tokenizer.wordpiece, {\"bert-base-uncased\"}) print(found and "
            + "words:encode(\"a text\", nil, 8).ids or \"no such folder\")"
    ) { try load($0, WordPiece.self, "bss.tokenizer.bpe", lowercases: $0[lowercases]) }

    private static let bytePairs = Part<TokenizerPart>(
        "bpe", "CLIP's byte pairs: vocab.json with merges.txt, or tokenizer.json.", [path],
        source: "Sennrich et al., ACL 2016; Radford et al., ICML 2021",
        example:
            "local found, pairs = pcall(bss.tokenizer.bpe, {\"clip-vit-base-patch32\"}) print(found and "
            + "pairs:tokens(\"a photo\") or \"no such folder\")"
    ) { try load($0, BytePairEncoding.self, "bss.tokenizer.wordpiece") }

    // MARK: Methods

    private static let text = Argument<String>("text", "the text")
    private static let pair = Argument<String?>("pair", default: nil, "a second text")
    private static let length = Argument<Int?>(
        "length", default: nil, "cut and padded to this many tokens", check: Check("at least 2") { $0 ?? 2 >= 2 })
    private static let ids = Argument<[Int]>("ids", "token ids, counted from 0 as vocabularies do")
    private static let special = Argument("special", default: false, "keep marks such as [CLS]")

    public static let methods: [Function] = [
        Function(
            "encode", "Token ids with marks, mask (1 where a token stands) and types (1 in the second text).",
            [text, pair, length], returns: "{ ids, mask, types }"
        ) { a in
            let row = try a.part(TokenizerPart.self).tokenizer.encode(a[text], pair: a[pair], length: a[length])
            func list(_ values: [Int]) -> Value { .list(values.map(Value.int)) }
            return [.fields([("ids", list(row.ids)), ("mask", list(row.mask)), ("types", list(row.types))])]
        },
        Function("decode", "The text of token ids.", [ids, special], returns: "string") { a in
            [.string(try a.part(TokenizerPart.self).tokenizer.decode(a[ids], keepsSpecial: a[special]))]
        },
        Function(
            "tokens", "The tokens of a text, as they stand in the vocabulary, without marks.", [text],
            returns: "list of strings"
        ) { a in
            let tokenizer = try a.part(TokenizerPart.self).tokenizer
            return [.list(tokenizer.tokenize(a[text]).map(tokenizer.vocabulary.text))]
        },
        Function("size", "Number of tokens in the vocabulary.", returns: "integer") { a in
            [.int(try a.part(TokenizerPart.self).tokenizer.vocabulary.count)]
        },
    ]
}
