import BSSCore
import BSSLua
import BSSSession
import Glibc

/// A value in the forms that a notebook can show: text always; figures as SVG, and PNG where gnuplot is;
/// tables as HTML.
enum MimeBundle {
    /// - Parameter typed: the value as `nb check` compares it.
    static func data(_ value: LuaValue, _ session: Session, typed: String? = nil) -> Table {
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
        // A line of our own making: it is JSON.
        if let typed, let form = try? JSON.parse(typed) { data[TypedValue.mimeType] = form }
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
        return Text.base64(bytes)
    }
}
