import _BSSHostile

// hostile-script SEED CALLS: the script on stdout, for `bss-lua -`.

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
do { print(try HostileScript().text(seed: numbers.first ?? 1, calls: numbers.dropFirst().first ?? 1000)) } catch {
    fatalError("the declarations cannot be read: \(error)")
}
