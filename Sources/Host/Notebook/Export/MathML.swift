import BSSCore

/// The part of TeX's mathematics that notes use, as MathML: shown by browsers without a script or a network.
///
/// Letters, numbers, `^ _ { }`, `\frac`, `\sqrt`, `\text`, `\mathrm`, `\mathbf`, accents, sums and products with
/// limits, Greek letters, function names, relations and arrows.
///
/// Source: MathML Core (W3C). Deviation: no environments and no macros; a formula with an unknown command stays as it
/// was typed.
enum MathML {
    /// - Returns: `nil` for a formula that is not understood.
    static func text(_ formula: String, isBlock: Bool) -> String? {
        var reader = Reader(rest: Substring(formula), isBlock: isBlock)
        guard let row = reader.row(until: nil), reader.rest.isEmpty else { return nil }
        return "<math\(isBlock ? " display=\"block\"" : "")>\(row)</math>"
    }

    private struct Reader {
        var rest: Substring
        let isBlock: Bool

        /// Everything up to the bracket, which is taken.
        mutating func row(until end: Character?) -> String? {
            var out = ""
            while true {
                skipBlanks()
                guard let next = rest.first else { return end == nil ? "<mrow>\(out)</mrow>" : nil }
                if next == end {
                    rest.removeFirst()
                    return "<mrow>\(out)</mrow>"
                }
                guard let item = scripted() else { return nil }
                out += item
            }
        }

        /// An item with what stands above and below it.
        private mutating func scripted() -> String? {
            let hasLimits = ["\\sum", "\\prod", "\\max", "\\min", "\\arg"].contains(where: rest.hasPrefix) && isBlock
            guard let base = item() else { return nil }
            var below: String?, above: String?
            while let sign = rest.first, sign == "_" || sign == "^" {
                rest.removeFirst()
                skipBlanks()
                guard let script = item() else { return nil }
                if sign == "_" { below = script } else { above = script }
            }
            let tags = hasLimits ? ("munder", "mover", "munderover") : ("msub", "msup", "msubsup")
            switch (below, above) {
            case (nil, nil): return base
            case (let low?, nil): return "<\(tags.0)>\(base)\(low)</\(tags.0)>"
            case (nil, let high?): return "<\(tags.1)>\(base)\(high)</\(tags.1)>"
            case (let low?, let high?): return "<\(tags.2)>\(base)\(low)\(high)</\(tags.2)>"
            }
        }

        private mutating func item() -> String? {
            guard let next = rest.first else { return nil }
            if next == "{" {
                rest.removeFirst()
                return row(until: "}")
            }
            if next == "\\" { return command() }
            if next.isNumber {
                let number = rest.prefix { $0.isNumber || $0 == "." }
                rest = rest.dropFirst(number.count)
                return "<mn>\(number)</mn>"
            }
            rest.removeFirst()
            if next.isLetter { return "<mi>\(next)</mi>" }
            guard !"}^_&#".contains(next) else { return nil }
            let sign = next == "-" ? "−" : next == "*" ? "∗" : HTML.escaped(String(next))
            return "<mo>\(sign)</mo>"
        }

        private mutating func command() -> String? {
            rest.removeFirst()
            var name = String(rest.prefix { $0.isASCII && $0.isLetter })
            if name.isEmpty, let sign = rest.first { name = String(sign) }
            rest = rest.dropFirst(name.count)
            switch name {
            case "frac":
                guard let top = group(), let bottom = group() else { return nil }
                return "<mfrac>\(top)\(bottom)</mfrac>"
            case "sqrt": return group().map { "<msqrt>\($0)</msqrt>" }
            case "text", "mathrm", "operatorname": return words().map { "<mtext>\(HTML.escaped($0))</mtext>" }
            case "mathbf": return words().map { "<mi mathvariant=\"bold\">\(HTML.escaped($0))</mi>" }
            case "hat", "bar", "tilde", "vec":
                let sign = ["hat": "^", "bar": "¯", "tilde": "~", "vec": "→"][name] ?? ""
                return group().map { "<mover accent=\"true\">\($0)<mo>\(sign)</mo></mover>" }
            case "left", "right":
                skipBlanks()
                guard let sign = rest.popFirst() else { return nil }
                return sign == "." ? "" : "<mo>\(HTML.escaped(String(sign)))</mo>"
            case ",", ";", "!", " ", "quad": return "<mspace width=\"0.3em\"/>"
            case "{", "}", "|", "%", "_": return "<mo>\(name)</mo>"
            default:
                if let letter = Signs.letters[name] { return "<mi>\(letter)</mi>" }
                if let sign = Signs.operators[name] { return "<mo>\(sign)</mo>" }
                return Signs.functions.contains(name) ? "<mi>\(name)</mi>" : nil
            }
        }

        private mutating func group() -> String? {
            skipBlanks()
            return item()
        }

        /// `{plain words}`
        private mutating func words() -> String? {
            guard rest.first == "{", let end = rest.firstIndex(of: "}") else { return nil }
            defer { rest = rest[rest.index(after: end)...] }
            return String(rest[rest.index(after: rest.startIndex)..<end])
        }

        private mutating func skipBlanks() { rest = rest.drop { $0 == " " || $0 == "\n" } }
    }

    private enum Signs {
        static let letters = [
            "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ",
            "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
            "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
            "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ",
            "Omega": "Ω", "ell": "ℓ", "infty": "∞", "partial": "∂", "nabla": "∇",
        ]
        static let operators = [
            "sum": "∑", "prod": "∏", "int": "∫", "cdot": "·", "times": "×", "pm": "±", "le": "≤", "leq": "≤",
            "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "in": "∈", "to": "→", "rightarrow": "→",
            "leftarrow": "←", "mapsto": "↦", "odot": "⊙", "otimes": "⊗", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈",
            "rceil": "⌉", "langle": "⟨", "rangle": "⟩", "ldots": "…", "dots": "…", "cdots": "⋯", "sim": "∼",
            "propto": "∝", "mid": "∣", "forall": "∀", "exists": "∃", "cup": "∪", "cap": "∩", "subset": "⊂", "top": "⊤",
            "Vert": "‖",
        ]
        static let functions: Set<String> = [
            "log", "exp", "ln", "max", "min", "arg", "tanh", "sin", "cos", "softmax", "sign", "det", "lim", "sup",
            "inf",
        ]
    }
}
