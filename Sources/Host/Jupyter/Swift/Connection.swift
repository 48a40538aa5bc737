import BSSCore

/// Where a client expects the kernel: the connection file that it names.
struct Connection {
    let transport: String
    let ip: String
    let key: [UInt8]
    private let ports: Table

    /// - Throws: a file that is none, or lacks something.
    init(file: String) throws {
        guard let table = try JSON.parse(Files.readText(file), source: file).table else {
            throw BSSError("kernel", "\(file) is no connection file", kind: .usage)
        }
        transport = table["transport"]?.string ?? "tcp"
        ip = table["ip"]?.string ?? "127.0.0.1"
        key = Array((table["key"]?.string ?? "").utf8)
        ports = table
        let scheme = table["signature_scheme"]?.string ?? "hmac-sha256"
        guard scheme == "hmac-sha256" || key.isEmpty else {
            throw BSSError("kernel", "signature scheme '\(scheme)' of \(file) is not hmac-sha256", kind: .usage)
        }
        for name in ["shell", "iopub", "stdin", "control", "hb"] where ports[name + "_port"]?.int == nil {
            throw BSSError("kernel", "\(file) names no \(name)_port", kind: .usage)
        }
    }

    /// `tcp://127.0.0.1:5000`, `ipc://path-1`
    func address(_ name: String) -> String {
        "\(transport)://\(ip)\(transport == "ipc" ? "-" : ":")\(ports[name + "_port"]?.int ?? 0)"
    }
}
