/// The dictionary in front of an npy file's data: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct NpyHeader {
    let dtype: String
    let itemSize: Int
    let isBigEndian: Bool
    let isFortran: Bool
    let shape: [Int]

    private static let dtypes = [
        "f2": "float16", "f4": "float32", "f8": "float64", "b1": "bool", "i1": "int8", "i2": "int16", "i4": "int32",
        "i8": "int64", "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64",
    ]

    init(_ text: String, _ file: Bytes) throws {
        guard let descr = NpyHeader.value(of: "descr", in: text) else {
            throw file.damage("header without 'descr': \(text.prefix(80))")
        }
        guard descr.first == "'" || descr.first == "\"" else {
            throw file.damage("structured element type \(descr); plain numbers and text are read")
        }
        var code = descr.dropFirst().dropLast()
        isBigEndian = code.first == ">"
        if let first = code.first, "<>|=".contains(first) { code = code.dropFirst() }
        if let known = NpyHeader.dtypes[String(code)] {
            dtype = known
            itemSize = Int(code.dropFirst()) ?? 0
        } else if let kind = code.first, kind == "U" || kind == "S", let width = Int(code.dropFirst()),
            (0..<1 << 32).contains(width)
        {
            dtype = kind == "U" ? "str" : "bytes"
            itemSize = kind == "U" ? 4 * width : width
        } else if code.first == "O" {
            throw file.damage("holds pickled Python objects, which are never loaded; save numbers or text")
        } else {
            throw file.damage("element type \(descr) is not read; known: float16/32/64, int8…64, uint8…64, bool, text")
        }
        switch NpyHeader.value(of: "fortran_order", in: text) {
        case "True": isFortran = true
        case "False": isFortran = false
        default: throw file.damage("header without 'fortran_order'")
        }
        guard let tuple = NpyHeader.value(of: "shape", in: text), tuple.first == "(" else {
            throw file.damage("header without 'shape'")
        }
        shape = try tuple.dropFirst().dropLast().split(separator: ",").compactMap { part in
            let digits = part.filter { $0 != " " && $0 != "L" }
            if digits.isEmpty { return nil }
            guard let extent = Int(digits), extent >= 0 else {
                throw file.damage("shape \(tuple) is not a list of sizes")
            }
            return extent
        }
    }

    /// The text of one entry's value: up to the comma that ends it outside quotes and brackets.
    private static func value(of key: String, in text: String) -> String? {
        var parts: [String] = []
        for quote in ["'", "\""] where parts.count < 2 {
            let mark = Array("\(quote)\(key)\(quote)")
            let characters = Array(text)
            guard let at = characters.indices.first(where: { characters[$0...].starts(with: mark) }) else { continue }
            parts = ["", String(characters[(at + mark.count)...])]
        }
        guard parts.count == 2 else { return nil }
        var depth = 0
        var quote: Character?
        var value = ""
        for character in parts[1].drop(while: { $0 == ":" || $0 == " " }) {
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
            } else if character == "(" || character == "[" {
                depth += 1
            } else if character == ")" || character == "]" {
                depth -= 1
            } else if depth == 0, character == "," || character == "}" {
                break
            }
            value.append(character)
        }
        while value.last == " " { value.removeLast() }
        return value
    }
}
