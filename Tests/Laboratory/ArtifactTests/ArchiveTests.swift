import BSSCore
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSArtifact

/// Archives: the same bytes for the same content, readable by tar; hostile ones refused.
@Suite struct ArchiveTests {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/bss-archive-\(UUID().uuidString)"
        try Files.makeFolder(folder)
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }

    private var tree: DraftTree {
        var tree = DraftTree()
        tree.write("b", to: "runs/b.txt")
        tree.write("", to: "empty")
        tree.write(String(repeating: "x", count: 1500), to: "runs/ä.txt")
        let long = String(repeating: "folder/", count: 20) + String(repeating: "n", count: 90)
        tree.write("long", to: long)
        return tree
    }

    @Test("what is written comes back; two writings are equal; GNU tar reads it")
    func roundTrip() throws {
        defer { remove() }
        let path = folder + "/a.bss"
        try tree.writeArchive(path, time: 1_700_000_000)
        let read = try DiskTree(archive: path)
        #expect(read.names == tree.names)
        for name in tree.names { #expect(try read.read(name) == tree.read(name)) }
        var other = DraftTree()
        for name in tree.names.reversed() { other[name] = try tree.read(name) }
        try other.writeArchive(folder + "/b.bss", time: 1_700_000_000)
        #expect(try Files.read(path) == Files.read(folder + "/b.bss"))
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-xf", path, "-C", folder]
        try tar.run()
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
        for name in tree.names { #expect(try Files.read("\(folder)/\(name)") == tree.read(name)) }
    }

    @Test("a bit flipped anywhere, or an end that is missing: refused, or seen by the seal")
    func damage() throws {
        defer { remove() }
        var sealed = tree
        let manifest = Manifest(title: "t", authors: [], published: "2026-01-01", isAnonymous: true, engine: Table())
        try Seal.close(&sealed, manifest)
        let path = folder + "/a.bss"
        try sealed.writeArchive(path, time: 0)
        #expect(try Seal.faults(DiskTree(archive: path)).isEmpty)
        let whole = try Files.read(path)
        let content = try DiskTree(archive: path).names.reduce(0) {
            $0 + 512 + TarHeader.padded(try sealed.read($1).count)
        }
        for at in stride(from: 0, to: content, by: 37) {
            var bytes = whole
            bytes[at] ^= 0x04
            try Files.write(bytes, to: path)
            // What fills a block has no meaning.
            let isRead = (try? DiskTree(archive: path)).map { read in
                read.names == sealed.names && read.names.allSatisfy { (try? read.read($0)) == (try? sealed.read($0)) }
            }
            guard isRead != true else { continue }
            let isFound = (try? !Seal.faults(DiskTree(archive: path)).isEmpty) ?? true
            #expect(isFound, "a flipped bit in byte \(at)")
        }
        for length in [0, 100, 512, 700, content] {
            try Files.write(Array(whole[..<length]), to: path)
            #expect(throws: BSSError.self) { try DiskTree(archive: path) }
        }
    }

    @Test("names that lead outside, links, devices, twice, file and folder at once")
    func hostile() throws {
        defer { remove() }
        for name in ["/etc/x", "../x", "a/../../x", "a//b", "./a", "a/.", "a\\b", "a\nb", ""] {
            #expect(ArtifactPath.fault(name) != nil, "\(name)")
        }
        #expect(throws: BSSError.self) { try ArtifactPath.check(["a", "a"], in: "x") }
        #expect(throws: BSSError.self) { try ArtifactPath.check(["a/b", "a"], in: "x") }
        let path = folder + "/a.bss"
        var one = DraftTree()
        one.write("x", to: "name")
        try one.writeArchive(path, time: 0)
        for (place, text) in [(156, "2"), (156, "1"), (156, "5"), (156, "3"), (156, "x"), (0, "/abs"), (0, "../a")] {
            var bytes = try Files.read(path)
            for (i, byte) in text.utf8.enumerated() { bytes[place + i] = byte }
            for i in 148..<156 { bytes[i] = 0x20 }
            let sum = bytes[..<512].reduce(0) { $0 + Int($1) }
            for (i, byte) in (String(format: "%06o", sum) + "\0").utf8.enumerated() { bytes[148 + i] = byte }
            try Files.write(bytes, to: folder + "/h.bss")
            #expect(throws: BSSError.self, "\(text)") { try DiskTree(archive: folder + "/h.bss") }
        }
        // A size of many terabytes, a folder with a link.
        var bytes = try Files.read(path)
        for (i, byte) in "77777777777".utf8.enumerated() { bytes[124 + i] = byte }
        try Files.write(bytes, to: folder + "/h.bss")
        #expect(throws: BSSError.self) { try DiskTree(archive: folder + "/h.bss") }
        try Files.makeFolder(folder + "/d")
        try FileManager.default.createSymbolicLink(atPath: folder + "/d/l", withDestinationPath: "/etc/passwd")
        #expect(throws: BSSError.self) { try DiskTree(folder: folder + "/d") }
    }
}
