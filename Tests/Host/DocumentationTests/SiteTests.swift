import BSSCore
import BSSLua
import BSSScript
import BSSSession
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSDocumentation

/// The site holds every declared name once, its links lead somewhere, and nothing in it needs a network.
@Suite struct SiteTests {
    static func files() throws -> [Site.File] {
        let folder = Repository.root + "/experiments/guide"
        let notebooks = try Files.list(folder).filter { $0.hasSuffix(".lua") }.sorted().map { name in
            (name: String(name.dropLast(4)), file: try NotebookFile(reading: "\(folder)/\(name)"))
        }
        #expect(notebooks.count >= 5)
        let root = try API.make(try LuaState(), RunOptions())
        return try Site.files(root, version: API.version, notebooks: notebooks, commands: [("bss-lua", "usage")])
    }

    @Test func everyLinkLeadsSomewhere() throws {
        let files = try SiteTests.files()
        let names = Set(files.map(\.name))
        #expect(names.count == files.count)
        var anchors: [String: Set<String>] = [:]
        for file in files { anchors[file.name] = Set(SiteTests.values(of: "id", in: file.text)) }
        var broken: [String] = []
        for file in files where file.name.hasSuffix(".html") {
            for target in SiteTests.values(of: "href", in: file.text) where !target.hasPrefix("http") {
                let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(
                    String.init)
                let page = parts[0].isEmpty ? file.name : parts[0]
                let isThere = names.contains(page) && (parts.count == 1 || anchors[page]?.contains(parts[1]) == true)
                if !isThere { broken.append("\(file.name): \(target)") }
            }
        }
        #expect(broken.isEmpty, "\(broken.prefix(8))")
    }

    @Test func nothingComesFromElsewhere() throws {
        for file in try SiteTests.files() where file.name.hasSuffix(".html") {
            #expect(!file.text.contains("src=\"http") && !file.text.contains("@import"), "\(file.name)")
        }
    }

    @Test func everyFunctionHasItsPlace() throws {
        let files = try SiteTests.files()
        let root = try API.make(try LuaState(), RunOptions())
        let pages = Dictionary(uniqueKeysWithValues: files.map { ($0.name, $0.text) })
        func visit(_ namespace: Namespace, _ path: String) {
            for entry in namespace.entries {
                if case .namespace(let child) = entry { visit(child, "\(path).\(child.name)") }
                if case .function(let function) = entry {
                    #expect(
                        pages["\(path).html"]?.contains("id=\"\(function.name)\"") == true, "\(path).\(function.name)")
                }
            }
        }
        visit(root, root.name)
    }

    @Test("the search is inside: every function and every guide is in its index, on every page")
    func search() throws {
        let files = try SiteTests.files()
        let script = try #require(files.first { $0.name.hasSuffix(".js") })
        let root = try API.make(try LuaState(), RunOptions())
        for case .function(let function) in root.entries {
            #expect(script.text.contains("\"bss.\(function.name)\""), "\(function.name)")
        }
        for guide in ["first-hour.html", "slurm.html", "statistics.html"] {
            #expect(script.text.contains("\"\(guide)\""), "\(guide)")
        }
        for page in files where page.name.hasSuffix(".html") {
            #expect(page.text.contains("src=\"\(script.name)\"") && page.text.contains("id=\"search\""), "\(page.name)")
        }
    }

    private static func values(of attribute: String, in text: String) -> [String] {
        text.components(separatedBy: " \(attribute)=\"").dropFirst().compactMap {
            $0.split(separator: "\"", omittingEmptySubsequences: false).first.map(String.init)
        }
    }

    @Test("the guides that the documentation promises are there, and each page leads to the next")
    func everyGuideIsThere() throws {
        let files = Dictionary(uniqueKeysWithValues: try SiteTests.files().map { ($0.name, $0.text) })
        for name in [
            "first-hour", "pytorch-users", "own-data", "own-method", "own-parts", "own-encoder", "own-media",
            "ablation",
            "save-and-score", "share-artifact", "gpu", "slurm", "jupyter", "balance", "paper-and-code", "determinism",
            "statistics", "files", "presets", "command-line",
        ] {
            #expect(files["\(name).html"]?.contains("class=\"neighbours\"") == true, "\(name)")
        }
    }

    @Test("presets are shown as they are, exit codes and variables are listed")
    func listsOfTheReference() throws {
        let files = Dictionary(uniqueKeysWithValues: try SiteTests.files().map { ($0.name, $0.text) })
        let presets = files["presets.html"] ?? ""
        for name in ["crema_d", "twitter2015", "generic", "official_fixed", "optimizer.learning_rate"] {
            #expect(presets.contains(name), "\(name)")
        }
        let commands = files["command-line.html"] ?? ""
        for text in [
            "id=\"exit-codes\"", "<code>75</code>", "<code>7</code>", "id=\"environment-variables\"", "BSS_DATA",
        ] {
            #expect(commands.contains(text), "\(text)")
        }
    }
}
