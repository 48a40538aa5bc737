import BSSCore

/// `local p = bss.params{ epochs = 30 }`: a script's parameters with `--set` applied.
enum ParametersFunction {
    static func make(_ workbench: Workbench) -> Function {
        let defaults = Argument<Table>(
            "defaults",
            "parameters with their defaults; --set key=value keeps a default's type; "
                + "smoke: a table of values for --smoke"
        )
        return Function(
            "params",
            "The script's parameters: the given defaults with the command line's --set applied; "
                + "unknown keys end the script with exit code 2.",
            [defaults],
            returns: "table", example: "bss.params{ epochs = 30, data = \"synthetic\" }.epochs", style: .positional
        ) { a in
            var known = a[defaults]
            let smoke = known["smoke"]?.table
            if smoke != nil { known["smoke"] = nil }
            try workbench.checkSets(allDeclared: known.keys)
            var parameters = try workbench.parameters(known, smoke: smoke, operation: "bss.params")
            workbench.describe(parameters: parameters)
            parameters.closedAs = "parameters"
            return [.table(parameters)]
        }
    }
}
