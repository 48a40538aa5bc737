import BSSCore
import CBSSLua

/// What a Lua function does, without where it stands: its bytecode with every line number left out.
///
/// Source: Lua 5.4, ldump.c. A layout that is not understood counts as a whole, line numbers included.
struct FunctionDump {
    /// SHA-256.
    private(set) var hash = ""
    /// Texts that occur in the function and in those inside it: names of globals are among them.
    private(set) var texts: Set<String> = []

    private var bytes: [UInt8] = []
    private var at = 0
    private var code = SHA256()

    /// Of the function on top of the stack.
    init(on L: OpaquePointer) {
        let writer: @convention(c) (OpaquePointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?) -> Int32 = {
            _, piece, size, target in
            target?.assumingMemoryBound(to: [UInt8].self).pointee += UnsafeRawBufferPointer(start: piece, count: size)
            return 0
        }
        withUnsafeMutablePointer(to: &bytes) { _ = lua_dump(L, writer, $0, 1) }
        let header = 4 + 1 + 1 + 6 + 3 + 8 + 8
        let isKnown = bytes.count > header && bytes[4] == 0x54 && bytes[5] == 0 && Array(bytes[12..<15]) == [4, 8, 8]
        at = header + 1
        if !isKnown || !function() || at != bytes.count {
            code = SHA256()
            bytes.withUnsafeBytes { code.update($0) }
        }
        hash = code.finish()
        bytes = []
    }

    /// 7 bits a byte, the last one marked.
    private mutating func size() -> Int? {
        var value = 0
        while at < bytes.count, value < 1 << 48 {
            let byte = bytes[at]
            at += 1
            value = value << 7 | Int(byte & 0x7F)
            if byte & 0x80 != 0 { return value }
        }
        return nil
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, at + count <= bytes.count else { return nil }
        defer { at += count }
        return bytes[at..<at + count]
    }

    /// Into the hash.
    private mutating func keep(_ count: Int) -> Bool {
        guard let piece = take(count) else { return false }
        piece.withUnsafeBytes { code.update($0) }
        return true
    }

    private mutating func text() -> Bool {
        guard let length = size() else { return false }
        guard length > 0 else { return true }
        guard let piece = take(length - 1) else { return false }
        code.update("\(piece.count):")
        piece.withUnsafeBytes { code.update($0) }
        texts.insert(String(decoding: piece, as: UTF8.self))
        return true
    }

    private mutating func many(_ kind: String, _ body: (inout FunctionDump) -> Bool) -> Bool {
        guard let count = size() else { return false }
        code.update("\(kind)\(count);")
        for _ in 0..<count where !body(&self) { return false }
        return true
    }

    private mutating func function() -> Bool {
        guard let source = size(), source == 0 || take(source - 1) != nil, size() != nil, size() != nil else {
            return false
        }
        return keep(3) && many("code") { $0.keep(4) } && many("constants") { $0.constant() }
            && many("upvalues") { $0.keep(3) } && many("functions") { $0.function() } && skipLines()
    }

    private mutating func constant() -> Bool {
        guard let kind = take(1)?.first else { return false }
        code.update("\(kind) ")
        switch kind {
        case 0x03, 0x13: return keep(8)
        case 0x04, 0x14: return text()
        default: return [0x00, 0x01, 0x11].contains(kind)
        }
    }

    private mutating func skipLines() -> Bool {
        guard let lines = size(), take(lines) != nil, let marks = size() else { return false }
        for _ in 0..<marks where size() == nil || size() == nil { return false }
        guard let variables = size(), variables == 0, let names = size(), names == 0 else { return false }
        return true
    }
}
