@_spi(_Unicode) import Swift

/// The character classes of tokenizers, by Unicode general category.
extension UnicodeScalar {
    /// Whether this character was assigned in a version of Unicode: the libraries that vocabularies were made with have
    /// old tables, and what they do not know is no letter, mark or punctuation to them.
    private func isKnown(to version: Int) -> Bool { isASCII || (properties.age?.major ?? .max) <= version }

    /// Letter (L), as `\p{L}` in Unicode 16.
    var isLetter: Bool {
        guard isKnown(to: 16) else { return false }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return false
        }
    }

    /// Number (N), as `\p{N}`.
    var isNumber: Bool {
        switch properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: return true
        default: return false
        }
    }

    /// Punctuation (P) in Unicode 8, and the ASCII signs that Unicode calls symbols.
    var isTokenPunctuation: Bool {
        if value < 128 {
            return (33...47).contains(value) || (58...64).contains(value) || (91...96).contains(value)
                || (123...126).contains(value)
        }
        if [0x166D, 0x111C9].contains(value) { return true }  // punctuation in Unicode 8, other classes since
        guard isKnown(to: 8) else { return false }
        switch properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    var isSpace: Bool { properties.isWhitespace }

    /// `\\w`: letters, marks, decimal numbers, connectors and joiners (Unicode technical standard 18, annex C).
    var isWord: Bool {
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }

    /// What BERT's cleaning drops: controls, formats, private use, U+FFFD; not tab and line ends.
    var isDroppedByCleaning: Bool {
        if self == "\t" || self == "\n" || self == "\r" { return false }
        if value == 0 || value == 0xFFFD { return true }
        switch properties.generalCategory {
        case .control, .privateUse: return true
        case .format: return isKnown(to: 8)
        default: return false
        }
    }

    /// Nonspacing mark (Mn) in Unicode 8.
    var isNonspacingMark: Bool {
        switch value {
        case 0x1734, 0x1171E: return true
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: return false
        default: return properties.generalCategory == .nonspacingMark && isKnown(to: 8)
        }
    }

    /// The ideograph blocks that BERT sets apart, one token a character.
    var isIdeograph: Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF,
            0x2F800...0x2FA1F:
            return true
        default: return false
        }
    }
}

extension String {
    /// Canonical decomposition (NFD).
    var decomposed: [UnicodeScalar] { Array(_nfd) }
    /// Canonical composition (NFC).
    var composed: [UnicodeScalar] { Array(_nfc) }
}

extension [UnicodeScalar] {
    var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: self)
        return String(view)
    }

    /// Each scalar by its own full mapping, without looking at its neighbours (no final sigma).
    var lowercased: [UnicodeScalar] {
        flatMap { $0.isASCII ? [$0.asciiLower] : Array($0.properties.lowercaseMapping.unicodeScalars) }
    }
}

extension UnicodeScalar {
    fileprivate var asciiLower: UnicodeScalar { (65...90).contains(value) ? UnicodeScalar(UInt8(value + 32)) : self }
}
