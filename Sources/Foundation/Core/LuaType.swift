/// Names of types in annotations for editors.
public enum LuaType {
    /// `pace function` → `bss.PaceFunction`
    public static func name(_ noun: String) -> String {
        let words = noun.split(whereSeparator: { "_- ".contains($0) })
        return "bss." + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
