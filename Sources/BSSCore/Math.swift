import Glibc

/// The C library's functions, so that no other file needs to import it for one of them.
public enum Math {
    public static func log(_ x: Double) -> Double { Glibc.log(x) }
    public static func exp(_ x: Double) -> Double { Glibc.exp(x) }
    public static func pow(_ x: Double, _ y: Double) -> Double { Glibc.pow(x, y) }
    public static func cos(_ x: Double) -> Double { Glibc.cos(x) }
    public static func sin(_ x: Double) -> Double { Glibc.sin(x) }
}
