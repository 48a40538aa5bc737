import BSSCore
import BSSLua
import BSSSession
import Glibc

/// `bss-lua kernel install`, `bss-lua kernel --connection FILE`
public enum KernelCommand {
    private static let connection = Argument<String>("connection", "the client's connection file"),
        user = Argument("user", default: false, "for this user (as without an option)"),
        prefix = Argument<String?>("prefix", default: nil, "into DIR/share/jupyter")

    public static var command: ProgramCommand {
        ProgramCommand(
            "kernel", "the Jupyter kernel of this program", options: [CommandOption(connection, value: "FILE")],
            shared: ProgramOption.running, members: [install]
        ) { call in
            try Socket.openLibrary()
            KernelInfo.version = call.program.version
            let (state, root) = try call.prepared()
            let session = Session(state, root: root)
            let options = call.options
            let program = call.program
            session.fresh = { try program.fresh(options).0 }
            session.history = History(
                path: History.defaultPath(environment: Session.environment), session: "kernel-\(getpid())")
            return try Kernel(Connection(file: call[connection]), session).run()
        }
    }

    private static var install: ProgramCommand {
        ProgramCommand(
            "install", "make it known to Jupyter",
            options: [CommandOption(user), CommandOption(prefix, value: "DIR")], shared: [ProgramOption.quiet]
        ) { call in
            guard !call[user] || call[prefix] == nil else {
                throw BSSError("--", "--user and --prefix exclude each other", kind: .usage)
            }
            let folder = try folder(prefix: call[prefix])
            try Files.makeFolder(folder)
            try Files.write(try specification(), to: folder + "/kernel.json")
            if !call.options.quiet { print("\(folder)/kernel.json") }
            return 0
        }
    }

    /// Where Jupyter looks: `PREFIX/share/jupyter/kernels`, or its data folder of this user.
    private static func folder(prefix: String?) throws -> String {
        if let prefix { return prefix + "/share/jupyter/kernels/bss-lua" }
        let environment = Session.environment
        if let data = environment("JUPYTER_DATA_DIR"), !data.isEmpty { return data + "/kernels/bss-lua" }
        if let data = environment("XDG_DATA_HOME"), !data.isEmpty { return data + "/jupyter/kernels/bss-lua" }
        guard let home = environment("HOME") else { throw BSSError("kernel install", "HOME is not set", kind: .usage) }
        return home + "/.local/share/jupyter/kernels/bss-lua"
    }

    /// Interrupts come as messages: that works from other machines, too. Signals do as well.
    private static func specification() throws -> String {
        var path = [CChar](repeating: 0, count: 4096)
        guard readlink("/proc/self/exe", &path, path.count - 1) > 0 else {
            throw BSSError("kernel install", "where this program lies is not known (/proc/self/exe)")
        }
        let words = [String(cString: path), "kernel", "--connection", "{connection_file}"]
        return JSON.text(
            .fields([
                ("argv", .list(words)), ("display_name", .string("bss-lua (Lua 5.4)")), ("language", .string("lua")),
                ("interrupt_mode", .string("message")),
            ]), indent: 1) + "\n"
    }
}
