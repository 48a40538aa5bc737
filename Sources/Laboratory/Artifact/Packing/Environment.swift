import BSSCore
import Glibc

/// Who and where this process is, for what must not get into artifacts.
enum Environment {
    static var home: String? { variable("HOME").flatMap { $0.count > 1 ? $0 : nil } }

    private static let homes = ["home", "Users"].map { "/\($0)/" }
    /// How texts in quotes name folders of one machine.
    static let quotedFolders = ["home", "Users", "root", "tmp"].map { "\"/\($0)/" }

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Words that name the user, the host or the home folder, where they are not everybody's.
    static var identifying: [String] {
        let everybodys = ["root", "user", "ubuntu", "debian", "runner", "vm", "localhost", "nobody", "build", "admin"]
        let user = variable("USER") ?? variable("LOGNAME") ?? ""
        let names = [user, ProcessIdentity.current.host].filter { $0.count > 3 && !everybodys.contains($0) }
        let all = (home.map { [$0 + "/"] } ?? []) + homes
        return names + all
    }
}
