import BSSCore
import BSSRuns

/// `ro-crate-metadata.json`: RO-Crate 1.1 with the profile Process Run Crate 0.5: every run is an action that used a
/// script and gave its files.
struct CrateMetadata {
    let content: ArtifactContent
    let manifest: Manifest

    private static let profile = "https://w3id.org/ro/wfrun/process/0.5"

    private func link(_ id: String) -> Value { .fields([("@id", .string(id))]) }
    /// Single values stand alone.
    private func links(_ ids: [String]) -> Value { ids.count == 1 ? link(ids[0]) : .list(ids.map(link)) }
    private func entity(_ id: String, _ type: [String], _ fields: [(String, Value)]) -> Value {
        .fields(
            [("@id", .string(id)), ("@type", type.count == 1 ? .string(type[0]) : .list(type))]
                + fields.filter { !$0.1.isNull })
    }

    var value: Value {
        get throws {
            .fields([
                ("@context", .string("https://w3id.org/ro/crate/1.1/context")),
                ("@graph", .list(try head() + files() + runs())),
            ])
        }
    }

    private var fileNames: [String] {
        let written = ["LICENSE", "README.md", "claims.json"]
        let rest = content.tree.names.filter {
            !written.contains($0) && !["manifest.json", "SHA256SUMS", "ro-crate-metadata.json"].contains($0)
                && !$0.hasPrefix("checks/") && !$0.hasPrefix("runs/")
        }
        return (content.tree.has("LICENSE") ? ["LICENSE"] : []) + ["README.md", "claims.json"] + rest
    }

    private func head() throws -> [Value] {
        let isLicensed = content.tree.has("LICENSE")
        let license = isLicensed ? "LICENSE" : "#no-license"
        let runFolders = content.runIDs.map { "runs/\($0)/" }
        let name = manifest.authors.isEmpty ? "Authors not named" : manifest.authors.joined(separator: ", ")
        var list = [
            entity(
                "ro-crate-metadata.json", ["CreativeWork"],
                [("about", link("./")), ("conformsTo", link("https://w3id.org/ro/crate/1.1"))]),
            entity(
                "./", ["Dataset"],
                [
                    ("name", .string(manifest.title)),
                    ("description", .string("Runs, metrics, tables, claims and sources of \(manifest.title).")),
                    ("datePublished", .string(manifest.published)), ("license", link(license)),
                    ("author", link("#author")), ("publisher", link("#publisher")),
                    ("conformsTo", link(CrateMetadata.profile)), ("hasPart", links(fileNames + runFolders)),
                    ("mentions", links(content.runIDs.map { "#run-\($0)" })),
                ]),
            entity(
                CrateMetadata.profile, ["CreativeWork"],
                [("name", .string("Process Run Crate")), ("version", .string("0.5"))]),
            entity(
                "#author", ["Person"], [("name", .string(name)), ("affiliation", link("#publisher"))]),
            entity(
                "#publisher", ["Organization"],
                [
                    ("name", .string(manifest.isAnonymous ? "Anonymous" : "The authors")),
                    ("url", .string("https://example.org")),
                ]),
            entity(
                "#lua", ["ComputerLanguage"],
                [("name", .string("Lua")), ("version", .string("5.4")), ("url", link("https://www.lua.org/"))]),
            entity("https://www.lua.org/", ["WebPage"], [("name", .string("Lua"))]),
        ]
        if !isLicensed {
            list.append(
                entity(
                    "#no-license", ["CreativeWork"],
                    [("name", .string("No licence")), ("description", .string("No licence was given."))]))
        }
        return list
    }

    // MARK: Files

    private func files() throws -> [Value] {
        try fileNames.map { name in
            var fields: [(String, Value)] = [
                ("name", .string(name.split(separator: "/").last.map(String.init) ?? name)),
                ("encodingFormat", .string(format(name))),
            ]
            var types = ["File"]
            if name == "LICENSE" {
                types.append("CreativeWork")
                fields.append(("description", .string("Licence of everything in this crate")))
            }
            if name == "README.md" { fields.append(("about", link("./"))) }
            if name.hasPrefix("src/") {
                types.append("SoftwareSourceCode")
                fields += [
                    ("version", .string("sha256:\(try content.tree.sha256(name))")),
                    ("url", .string("https://example.org/bss-lua")), ("programmingLanguage", link("#lua")),
                ]
            }
            return entity(name, types, fields)
        }
    }

    private func format(_ name: String) -> String {
        let kinds = [
            "json": "application/json", "jsonl": "application/jsonl", "md": "text/markdown", "csv": "text/csv",
            "tex": "application/x-tex", "svg": "image/svg+xml", "lua": "text/x-lua",
        ]
        let ending = name.split(separator: ".").last.map(String.init) ?? ""
        return kinds[ending] ?? (ending == "gp" || !name.contains(".") ? "text/plain" : "application/octet-stream")
    }

    // MARK: Runs

    private func runs() throws -> [Value] {
        var scripts: [String: String] = [:]
        for experiment in content.experiments {
            for id in content.runs(of: experiment) { scripts[id] = "src/\(experiment.command.script)" }
        }
        return try content.runIDs.flatMap { id -> [Value] in
            let record = try content.run(id)
            let folder = "runs/\(id)/"
            let files = content.tree.names.filter { $0.hasPrefix(folder) }
            let (name, seed) = (record["name"]?.string ?? "run", record["seed"]?.int ?? 0)
            let action = entity(
                "#run-\(id)", ["CreateAction"],
                [
                    ("name", .string("\(name), seed \(seed)")), ("description", .string("Run \(id) of \(name)")),
                    ("instrument", scripts[id].map(link) ?? .null), ("agent", link("#author")),
                    ("startTime", record.value(atPath: "time.start") ?? .null),
                    ("endTime", record.value(atPath: "time.end") ?? .null),
                    ("actionStatus", .string("http://schema.org/CompletedActionStatus")),
                    ("object", link("#seed-\(id)")), ("result", links(files)),
                ])
            let parts = files.map { file in
                entity(
                    file, ["File"],
                    [
                        ("name", .string(String(file.dropFirst(folder.count)))),
                        ("encodingFormat", .string(format(file))),
                    ])
            }
            return [
                entity(
                    folder, ["Dataset"],
                    [
                        ("name", .string("Run \(id)")), ("description", .string("Record of \(name), seed \(seed)")),
                        ("hasPart", links(files)),
                    ]), action,
                entity(
                    "#seed-\(id)", ["PropertyValue"], [("name", .string("seed")), ("value", .string("\(seed)"))]),
            ] + parts
        }
    }
}
