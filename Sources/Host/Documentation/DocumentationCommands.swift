import BSSCore
import BSSLua
import BSSSession
import Glibc

/// `bss-lua docs`, `stubs` and `new`: what is written from the declarations.
public enum DocumentationCommands {
    public static var all: [ProgramCommand] { [docs, stubs, new] }

    private static let site = Argument<String>("output", "the folder that becomes the site"),
        guide = Argument<String?>("guide", default: nil, "the folder of notebooks; by default experiments/guide"),
        library = Argument<String>("output", "the folder that the editor's workspace.library names"),
        again = Argument("force", default: false, "write over a file that is there")

    private static var docs: ProgramCommand {
        ProgramCommand(
            "docs", "write the documentation as a static site",
            options: [CommandOption(site, short: "-o", value: "DIR"), CommandOption(guide, value: "DIR")]
        ) { call in
            let folder = try call[guide] ?? guideFolder(call.path)
            let names = try Files.list(folder).filter { $0.hasSuffix(".lua") }.sorted()
            let notebooks = try names.map { name in
                (name: String(name.dropLast(4)), file: try NotebookFile(reading: "\(folder)/\(name)"))
            }
            let files = try Site.files(
                root(call), version: call.program.version, notebooks: notebooks,
                commands: CommandReference.pages(call.program))
            try write(files.map { ($0.name, $0.text) }, to: call[site])
            print("\(call[site])/index.html: \(files.count) files, \(notebooks.count) notebooks")
            return 0
        }
    }

    private static var stubs: ProgramCommand {
        ProgramCommand(
            "stubs", "write annotations for lua-language-server",
            options: [CommandOption(library, short: "-o", value: "DIR")]
        ) { call in
            try write([("bss.lua", Stubs.text(root(call)))], to: call[library])
            print("\(call[library])/bss.lua: name the folder in the editor's Lua.workspace.library")
            return 0
        }
    }

    private static var new: ProgramCommand {
        ProgramCommand(
            "new", "write a script that runs as it stands, to begin with",
            Template.allCases.map { template in
                ProgramCommand(
                    template.rawValue, "a script with a \(template.rawValue) of your own",
                    operand: .init("NAME", .word), options: [CommandOption(again)]
                ) { call in
                    let name = try identifier(call.operand, call.path)
                    let path = "\(name).lua"
                    guard call[again] || !Files.exists(path) else {
                        throw BSSError(
                            call.path, "there is a file '\(path)' already", hint: "--force writes over it", kind: .usage
                        )
                    }
                    try Files.write(template.text(named: name), to: path)
                    print("\(path): run it with  bss-lua \(template == .notebook ? "nb run " : "")\(path)")
                    return 0
                }
            })
    }

    /// A name that may stand in a script: letters, digits and `_`.
    private static func identifier(_ word: String, _ path: String) throws -> String {
        let name = word.hasSuffix(".lua") ? String(word.dropLast(4)) : word
        let isName = name.utf8.allSatisfy { ($0 | 32) >= 97 && ($0 | 32) <= 122 || $0 >= 48 && $0 <= 57 || $0 == 95 }
        guard isName, let first = name.first, !first.isNumber, !LuaLexer.keywords.contains(name) else {
            throw BSSError(
                path, "'\(word)' is no name for a variable", hint: "letters, digits and '_', no digit first",
                kind: .usage)
        }
        return name
    }

    private static func root(_ call: ProgramCommand.Call) throws -> Namespace {
        try call.program.api(call.state(), call.options)
    }

    private static func write(_ files: [(name: String, text: String)], to folder: String) throws {
        try Files.makeFolder(folder)
        for file in files { try Files.write(file.text, to: "\(folder)/\(file.name)") }
    }

    /// `experiments/guide` beside the program, above it, or in the current folder.
    private static func guideFolder(_ path: String) throws -> String {
        var places = ["experiments/guide"]
        var link = [CChar](repeating: 0, count: 4096)
        if readlink("/proc/self/exe", &link, link.count - 1) > 0 {
            var parts = String(cString: link).split(separator: "/").dropLast()
            while !parts.isEmpty {
                let folder = "/" + parts.joined(separator: "/")
                places += ["\(folder)/share/bss-lua/experiments/guide", "\(folder)/experiments/guide"]
                parts = parts.dropLast()
            }
        }
        guard let found = places.first(where: Files.isFolder) else {
            throw BSSError(path, "there is no folder experiments/guide", hint: "--guide DIR names it", kind: .usage)
        }
        return found
    }
}
