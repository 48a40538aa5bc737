import BSSCore
import BSSLua
import BSSSession
import Glibc

/// A value in the forms that a notebook can show: text always; figures as SVG, and PNG where gnuplot is;
/// tables as HTML.
enum MimeBundle {
    static func data(_ value: LuaValue, _ session: Session) -> Table {
        let state = session.state
        var data = Table(fields: [("text/plain", .string(StableText.plain(session.runner.show(value, state))))])
        if let object = state.object(of: value) {
            if let svg = text(of: object, "svg") { data["image/svg+xml"] = .string(svg) }
            if data["image/svg+xml"] != nil, let png = png(of: object) { data["image/png"] = .string(png) }
            if let markdown = text(of: object, "markdown"), let html = TableHTML.ofMarkdown(markdown) {
                data["text/html"] = .string(html)
            }
        } else if let plain = try? state.value(of: value),  // what has no plain form is no table of records
            let html = TableHTML.ofRecords(plain)
        {
            data["text/html"] = .string(html)
        }
        return data
    }

    /// What a method without arguments gives.
    private static func text(of object: any HostObject, _ method: String) -> String? {
        guard let function = object.objectType.method(method) else { return nil }
        // An object whose method fails has no such form; the text remains.
        return (try? function.call([], receiver: object))?.first?.string
    }

    /// Through a file, which gnuplot writes.
    private static func png(of object: any HostObject) -> String? {
        guard let save = object.objectType.method("save") else { return nil }
        let path = (Session.environment("TMPDIR") ?? "/tmp") + "/bss-lua-\(getpid()).png"
        defer { unlink(path) }
        // Without gnuplot there is no PNG; the SVG remains.
        guard (try? save.call([.string(path)], receiver: object)) != nil, let bytes = try? Files.read(path) else {
            return nil
        }
        return base64(bytes)
    }

    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func base64(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let three = bytes[start..<min(start + 3, bytes.count)]
            let word = three.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - three.count))
            for place in 0..<4 {
                out.append(place <= three.count ? digits[word >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
