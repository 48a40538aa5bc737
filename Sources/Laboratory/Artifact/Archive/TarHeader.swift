import BSSCore

/// A header block of the ustar format (IEEE Std 1003.1-1988): regular files alone, mode 644, no owner.
struct TarHeader {
    static let block = 512
    var name: String
    var size: Int

    /// - Parameter time: seconds since 1970, the same for every file.
    /// - Throws: kind `.usage`: a name that does not fit.
    func bytes(time: Int) throws -> [UInt8] {
        var block = [UInt8](repeating: 0, count: TarHeader.block)
        func put(_ text: some Sequence<UInt8>, at place: Int) {
            for (i, byte) in text.enumerated() { block[place + i] = byte }
        }
        func octal(_ number: Int, at place: Int, digits: Int) {
            let text = String(number, radix: 8)
            put((String(repeating: "0", count: digits - text.count) + text).utf8, at: place)
        }
        let (prefix, rest) = try split()
        put(rest, at: 0)
        octal(0o644, at: 100, digits: 7)
        octal(0, at: 108, digits: 7)
        octal(0, at: 116, digits: 7)
        octal(size, at: 124, digits: 11)
        octal(time, at: 136, digits: 11)
        put([UInt8](repeating: 0x20, count: 8), at: 148)
        block[156] = UInt8(ascii: "0")
        put("ustar\u{0}00".utf8, at: 257)
        octal(0, at: 329, digits: 7)
        octal(0, at: 337, digits: 7)
        put(prefix, at: 345)
        octal(block.reduce(0) { $0 + Int($1) }, at: 148, digits: 6)
        block[154] = 0
        return block
    }

    /// At the last slash that leaves 100 bytes or fewer behind it.
    private func split() throws -> (prefix: ArraySlice<UInt8>, rest: ArraySlice<UInt8>) {
        let name = Array(self.name.utf8)
        guard size < 1 << 33 else { throw BSSError("pack", "'\(self.name)' is larger than 8 GiB", kind: .usage) }
        if name.count <= 100 { return ([], name[...]) }
        for at in name.indices where name[at] == UInt8(ascii: "/") && name.count - at - 1 <= 100 && at <= 155 {
            return (name[..<at], name[(at + 1)...])
        }
        throw BSSError("pack", "the name '\(self.name)' is too long for an archive", kind: .usage)
    }

    /// nil: a block of zeros, where the archive ends.
    /// - Throws: kind `.damaged`: no header of a regular file.
    init?(_ block: [UInt8], at place: Int, in source: String) throws {
        func damage(_ what: String) -> BSSError {
            BSSError("artifact", "\(source): at byte \(place): \(what)", kind: .damaged)
        }
        guard block.contains(where: { $0 != 0 }) else { return nil }
        func number(_ range: Range<Int>) throws -> Int {
            let text = block[range].drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
            guard let number = Int(String(decoding: text, as: UTF8.self), radix: 8), number >= 0 else {
                throw damage("a number of its header is none")
            }
            return number
        }
        guard block[257..<262].elementsEqual("ustar".utf8) else { throw damage("no ustar header") }
        let sum = block.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 0x20 : Int(block[$1])) }
        guard try number(148..<156) == sum else { throw damage("the checksum of its header is wrong") }
        guard block[156] == UInt8(ascii: "0") || block[156] == 0 else {
            throw damage("an entry that is no regular file (type '\(Character(UnicodeScalar(block[156])))')")
        }
        func text(_ range: Range<Int>) -> String { Text.decoded(Array(block[range].prefix { $0 != 0 })) }
        let (prefix, rest) = (text(345..<500), text(0..<100))
        name = prefix.isEmpty ? rest : "\(prefix)/\(rest)"
        size = try number(124..<136)
    }

    init(name: String, size: Int) { (self.name, self.size) = (name, size) }

    /// Bytes of content with what fills its last block.
    static func padded(_ size: Int) -> Int { (size + block - 1) / block * block }
}
