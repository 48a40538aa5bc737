import BSSBackend
import BSSCodecs
import BSSCore
import BSSNN
import BSSTensor
import BSSText
import Testing
import _BSSTestSupport

/// The `hf` group of the reference numbers: tokenizers, checkpoints, and the networks that they hold.
@Suite(.oneAtATime) struct HuggingFaceFixtureTests {
    @Test func tokenizers() throws {
        let failures = try FixtureGroup.run("hf", only: { $0.op.hasSuffix("_tokenizer") }) { item in
            switch item.op {
            case "bert_tokenizer", "clip_tokenizer": return try TokenizerCase(item).results()
            default: throw BSSError(item.id, "unknown operation '\(item.op)'")
            }
        }
        for failure in failures { Issue.record("\(failure)") }
    }
}

/// A vocabulary, texts and their ids: alone, cut and padded to several lengths, padded to the longest, and in pairs.
private struct TokenizerCase {
    let item: FixtureCase
    let tokenizer: Tokenizer
    let texts: [String]
    let cases: [Table]

    init(_ item: FixtureCase) throws {
        self.item = item
        let path = item.path(item.id + ".json")
        guard let content = try JSON.parse(try Files.readText(path), source: path).table, let vocabulary = content["vocab"]?.string,
            let cases = content["cases"]?.table?.items
        else { throw BSSError(item.id, "\(path) has no vocabulary or cases") }
        self.cases = cases.compactMap(\.table)
        texts = try self.cases.map { try $0["text"]?.string ?? { throw BSSError(item.id, "a case without text") }() }
        let folder = item.id.split(separator: "/").dropLast().joined(separator: "/")
        let file = item.path("\(folder)/\(vocabulary)")
        // A folder for the one kind, a file for the other: both ways in.
        tokenizer = try Tokenizer.load(item.op == "clip_tokenizer" ? file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") : file,
            lowercases: content["lower_case"]?.bool)
        guard tokenizer.vocabulary.count == (try item.int("vocab_size")) else { throw BSSError(item.id, "the vocabulary has \(tokenizer.vocabulary.count) tokens") }
    }

    func results() throws -> [String: NpyArray] {
        var results: [String: NpyArray] = [:]
        let natural = try texts.map { try tokenizer.encode($0) }
        for (row, expected) in zip(natural, cases) {
            let tokens = expected["tokens"]?.table?.items.compactMap(\.string)
            let got = row.ids.map(tokenizer.vocabulary.text)
            if let tokens, !zip(tokens, got).allSatisfy({ Array($0.utf8) == Array($1.utf8) }) || tokens.count != got.count {
                throw BSSError(item.id, "text \(expected["text"]?.described ?? ""): tokens \(got), expected \(tokens)")
            }
            guard row.mask == row.ids.map({ _ in 1 }), row.types == row.ids.map({ _ in 0 }) else { throw BSSError(item.id, "a text alone has mask 1 and type 0") }
        }
        results["ids_flat"] = NpyArray(natural.flatMap(\.ids))
        results["ids_offsets"] = NpyArray(natural.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.ids.count) })
        for wanted in item.arrays where wanted.isResult {
            let limit = wanted.name.range(of: "_max").flatMap { Int(wanted.name[$0...].dropFirst(4)) }
            let rows: [EncodedText]
            switch wanted.name {
            case "ids_flat", "ids_offsets": continue
            case let name where name.hasPrefix("pair_"):
                let order = try item.integers("longest_rows")
                rows = try order.indices.map { try tokenizer.encode(texts[order[$0]], pair: texts[order[order.count - 1 - $0]], length: limit) }
            case let name where name.hasSuffix("_longest"):
                rows = try tokenizer.encode(try item.integers("longest_rows").map { texts[$0] })
            default: rows = try tokenizer.encode(texts, length: limit)
            }
            let part: (EncodedText) -> [Int] = wanted.name.contains("mask") ? \.mask : wanted.name.contains("type") ? \.types : \.ids
            results[wanted.name] = NpyArray(rows.flatMap(part), shape: [rows.count, rows.first.map { part($0).count } ?? 0])
        }
        return results
    }
}

extension String {
    /// Where `part` begins.
    fileprivate func range(of part: String) -> String.Index? {
        indices.first { self[$0...].hasPrefix(part) }
    }
}
