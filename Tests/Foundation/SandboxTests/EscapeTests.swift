import BSSCore
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSSandbox

/// Everything that a shut-in process might try by system calls, at every version of Landlock that this kernel has.
@Suite(.oneAtATime) struct EscapeTests {
    /// The newest version whose rules the jail knows.
    private static let newest = 7

    private func attempt(abi: Int, by wrapper: [String] = []) throws -> (code: Int32, output: String) {
        let folder = FileManager.default.temporaryDirectory.path + "/jail-\(UUID().uuidString)"
        let inside = folder + "/inside", readable = folder + "/readable.txt"
        try FileManager.default.createDirectory(atPath: inside, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: inside)
        try Files.write("keep", to: readable)
        let words = wrapper + [Products.path(of: "jail-escapes"), inside, readable, String(abi)]
        let child = try SpawnedProcess("/usr/bin/env", words, output: .file(folder + "/out"))
        let code = child.reap(blocking: true) ?? 127
        #expect(try Files.readText(readable) == "keep")
        if abi > 0 { #expect(try Files.list(folder) == ["inside", "out", "readable.txt"]) }
        return (code, try Files.readText(folder + "/out"))
    }

    private static func wrong(_ output: String) -> String {
        output.split(separator: "\n").filter { $0.hasSuffix("WRONG") }.joined(separator: "\n")
    }

    @Test("84 attempts, at every version of Landlock: what a run needs is done, every escape refused")
    func escapes() throws {
        let versions = Array(Wall.leastABI...Self.newest).filter { $0 <= Wall.landlockABI }
        for abi in versions {
            let (code, output) = try attempt(abi: abi)
            #expect(code == 0 && output.hasSuffix("84 of 84 right\n"), "Landlock \(abi): \(Self.wrong(output))")
        }
        print("escapes under Landlock, versions of it: \(versions.count) of \(Self.newest - Wall.leastABI + 1)")
    }

    @Test("and without root's rights")
    func asNobody() throws {
        guard getuid() == 0, Wall.landlockABI >= Wall.leastABI else {
            return print("escapes tried as another user: 0 of 1 (not root, or no Landlock)")
        }
        let wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        let (code, output) = try attempt(abi: Wall.landlockABI, by: wrapper)
        // The build may lie where nobody else may look.
        guard code != 126, code != 127 else { return print("escapes tried as another user: 0 of 1 (exit \(code))") }
        #expect(code == 0 && output.hasSuffix("84 of 84 right\n"), "\(Self.wrong(output))")
    }

    @Test("without Landlock the files stand open: the test would see it")
    func sensitive() throws {
        let (code, output) = try attempt(abi: 0)
        #expect(code == 1)
        for name in ["read /etc/passwd", "write ..", "hard link in"] {
            #expect(Self.wrong(output).contains(name), "\(name)")
        }
        _ = unlink("/tmp/jail-escapes-x")
        _ = unlink("/dev/shm/jail-escapes-x")
    }
}
