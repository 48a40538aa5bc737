import BSSCore
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSJupyter

@Suite(.oneAtATime) struct KernelTests {
    /// RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
    @Test func signaturesAreThoseOfTheStandard() {
        let cases: [(key: [UInt8], text: String, expected: String)] = [
            (
                [UInt8](repeating: 0x0B, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]
        for (key, text, expected) in cases {
            let bytes = Array(text.utf8)
            #expect(Signature.sign([Array(bytes[..<4]), Array(bytes[4...])], key: key) == expected)
        }
    }

    @Test func messagesTravelAndForgeriesDoNot() throws {
        let key = Array("key".utf8)
        let message = Message(
            "status", Table(fields: [("execution_state", .string("busy"))]), to: [[1, 2]], parent: [], session: "s")
        var parts = message.parts(key: key)
        let read = try #require(Message(parts: parts, key: key))
        #expect(read.type == "status" && read.identities == [[1, 2]])
        #expect(read.content["execution_state"]?.string == "busy")
        #expect(Message(parts: parts, key: Array("other".utf8)) == nil)
        parts[parts.count - 1][2] ^= 1
        #expect(Message(parts: parts, key: key) == nil && Message(parts: [[1]], key: key) == nil)
    }

    @Test func charactersAreNotCut() {
        let text = Array("aé€😀".utf8)
        for count in 0...text.count {
            let whole = Channels.lengthOfWholeCharacters(Array(text[..<count]))
            #expect(String(validating: text[..<whole], as: UTF8.self) != nil && count - whole < 4)
        }
        #expect(Channels.lengthOfWholeCharacters([0x61, 0xFF]) == 2)
    }

    @Test func picturesAndPatterns() {
        #expect(Text.base64(Array("light wo".utf8)) == "bGlnaHQgd28=")
        #expect(Kernel.matches("6 * 7", "6 * ?") && Kernel.matches("abc", "*b*") && !Kernel.matches("abc", "b*"))
        let table = TableHTML.ofMarkdown("**lab**\n\n| a |\n|---|\n| 1 |\n\n- 3 seeds\n- p < 1\n")
        #expect(table?.hasPrefix("<p><strong>lab</strong></p><table>") == true)
        #expect(table?.hasSuffix("</table><ul><li>3 seeds</li><li>p &lt; 1</li></ul>") == true, "\(table ?? "")")
        #expect(TableHTML.ofMarkdown("| a | b |\n|---|---|\n| 1 | <2 |\n")?.contains("<td>&lt;2</td>") == true)
    }

    @Test("without libzmq the kernel says so and names the package") func withoutLibrary() throws {
        let outcome = try Self.run(Program.path, ["kernel", "--connection", "none"], ["BSS_ZMQ": "/nowhere/libzmq.so"])
        #expect(outcome.code == 1 && outcome.text.contains("libzmq is not installed"), "\(outcome)")
        #expect(outcome.text.contains("apt-get install libzmq5"), "\(outcome)")
    }

    @Test("install --user and --prefix write where Jupyter looks; both are refused") func installs() throws {
        let home = FileManager.default.temporaryDirectory.path + "/bss-kernel-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: home) }
        for (words, folder) in [
            (["--user"], "\(home)/.local/share/jupyter"), (["--prefix", "\(home)/p"], "\(home)/p/share/jupyter"),
        ] {
            let variables = ["HOME": home, "JUPYTER_DATA_DIR": "", "XDG_DATA_HOME": ""]
            let outcome = try Self.run(Program.path, ["kernel", "install"] + words, variables)
            let path = "\(folder)/kernels/bss-lua/kernel.json"
            #expect(outcome.code == 0 && outcome.text == path + "\n", "\(outcome)")
            let specification = try JSON.parse(Files.readText(path)).table
            #expect(specification?["interrupt_mode"]?.string == "message")
            let words = specification?["argv"]?.table?.items.compactMap(\.string) ?? []
            #expect(words.suffix(2) == ["--connection", "{connection_file}"] && words.first?.hasPrefix("/") == true)
        }
        #expect(try Self.run(Program.path, ["kernel", "install", "--user", "--prefix", "x"], [:]).code == 2)
    }

    /// jupyter_kernel_test with every sample, and what it does not ask, where Python has it.
    @Test func conformance() throws {
        guard try Self.python(["-c", "import jupyter_kernel_test, ctypes; ctypes.CDLL('libzmq.so.5')"]).code == 0 else {
            return print("conformance of the Jupyter kernel: 0 of 1 (no jupyter_kernel_test, or no libzmq5)")
        }
        let outcome = try Self.python([Self.support + "kernel_conformance.py", Program.path])
        print(outcome.text.split(separator: "\n").filter { $0.contains("interrupt of") || $0.hasPrefix("Ran") })
        #expect(outcome.code == 0 && !outcome.text.contains("skipped"), "\(outcome.text.suffix(3000))")
    }

    /// Every guide as a notebook, executed by nbclient and papermill, where Python has them.
    @Test func guides() throws {
        let folder = Repository.root + "/experiments/guide"
        let count = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".lua") }.count
        guard try Self.python(["-c", "import nbclient, papermill, ctypes; ctypes.CDLL('libzmq.so.5')"]).code == 0 else {
            return print("guides by nbclient and papermill: 0 of \(count) (no nbclient, papermill or libzmq5)")
        }
        let outcome = try Self.python([Self.support + "run_guides.py", Program.path, folder])
        #expect(outcome.code == 0 && count > 10, "\(outcome.text.suffix(3000))")
        print("guides by nbclient and papermill: \(outcome.text.components(separatedBy: ": ok").count - 1) of \(count)")
    }

    private static let support = Repository.root + "/Tests/Support/Jupyter/"

    /// Runs the Python that has the packages (`BSS_PYTHON`, else python3) to its end, with a home of its own.
    private static func python(_ words: [String]) throws -> (code: Int32, text: String) {
        let home = FileManager.default.temporaryDirectory.path + "/bss-kernel-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: home) }
        let program = ProcessInfo.processInfo.environment["BSS_PYTHON"] ?? "python3"
        // Debug builds are slower by far; the release is held to 0.2 s.
        return try run(program, words, ["KERNEL_HOME": home, "KERNEL_LIMIT": limit])
    }

    private static func run(
        _ program: String, _ words: [String], _ variables: [String: String]
    ) throws -> (code: Int32, text: String) {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        child.arguments = [program] + words
        child.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
        let out = Pipe()
        (child.standardOutput, child.standardError) = (out, out)
        try child.run()
        let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        child.waitUntilExit()
        return (child.terminationStatus, text)
    }

    #if DEBUG
    private static let limit = "1.0"
    #else
    private static let limit = "0.2"
    #endif

    private enum Program {
        /// Beside the test bundle.
        static let path: String = {
            let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
            let beside = ([own] + CommandLine.arguments).map {
                ($0 as NSString).deletingLastPathComponent + "/bss-lua"
            }
            return beside.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "bss-lua"
        }()
    }
}
