import BSSCore
import Testing

@testable import BSSScript

/// What the script and its modules are called in records and artifacts.
@Suite struct SourceNamesTests {
    private func names(_ script: String?, _ files: [String]) -> [String] {
        let names = SourceNames(script: script, files: files)
        return files.map { names.name(of: $0, own: "own:" + ($0.split(separator: "/").last.map(String.init) ?? "")) }
    }

    @Test("modules below the script's folder, beside it, and above it by two; others keep their own names")
    func climbs() {
        #expect(names("/p/a.lua", ["/p/a.lua", "/p/./lib/b.lua"]) == ["a.lua", "lib/b.lua"])
        #expect(names("/p/s/a.lua", ["/p/s/a.lua", "/p/s/../lib/b.lua"]) == ["s/a.lua", "lib/b.lua"])
        #expect(names("/p/s/t/a.lua", ["/p/s/t/a.lua", "/p/lib/b.lua"]) == ["s/t/a.lua", "lib/b.lua"])
        #expect(names("/p/s/t/u/a.lua", ["/p/s/t/u/a.lua", "/p/b.lua"]) == ["a.lua", "own:b.lua"])
        #expect(names("/p/a.lua", ["/p/a.lua", "/usr/b.lua"]) == ["a.lua", "own:b.lua"])
        #expect(names(nil, ["/p/a.lua"]) == ["own:a.lua"])
    }

    @Test("paths from the working folder are those that lie there")
    func relative() {
        let here = Files.workingFolder
        #expect(names("s/a.lua", ["s/a.lua", "./s/../lib/b.lua"]) == ["s/a.lua", "lib/b.lua"])
        #expect(names("a.lua", ["a.lua", "\(here)/lib/b.lua"]) == ["a.lua", "lib/b.lua"])
    }
}
