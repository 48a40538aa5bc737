import BSSCore
import BSSLua
import BSSPlot
import BSSRuns
import Glibc

/// `bss-lua watch DIR|ID`: curves of runs while they train, as text, drawn anew at most once a second. Where the output
/// is no terminal, a line for every epoch that is new.
public enum WatchCommand {
    private static let metric = Argument(
        "metric", default: "val.total.accuracy", "which number of the epochs: train.loss, test.audio.accuracy …")
    private static let most = Argument("runs", default: 6, "at most so many curves", check: .range(1...20))
    private static let once = Argument("once", default: false, "draw once and leave")

    public static var command: ProgramCommand {
        ProgramCommand(
            "watch", "curves of runs while they train, until all have ended", operand: .init("DIR|ID", .word),
            options: [CommandOption(metric, value: "NAME"), CommandOption(most), CommandOption(once)],
            shared: [ProgramOption.out, ProgramOption.color]
        ) { call in
            let isFolder = Files.isFolder(call.operand + "/runs")
            let root = isFolder ? call.operand : call.options.out ?? RunOptions.usualOut
            let store = try RunStore.existing(root, operation: call.path)
            var watch = StoreWatch(store)
            var screen = Screen(metric: call[metric], display: Display.output)
            while true {
                let runs =
                    isFolder
                    ? Array(try watch.all().prefix(call[most]))
                    : [try watch.run(beginning: call.operand, operation: call.path)]
                try screen.show(try runs.map { ($0, try watch.curve(call[metric], of: $0)) })
                let isOver = !runs.contains { if case .running = $0.state { return true } else { return false } }
                if isOver || call[once] {
                    guard screen.hasShown else { throw try nothing(in: runs, call) }
                    return 0
                }
                try ClaimRules.sleep(1)
            }
        }
    }

    /// No run has a number of this name.
    private static func nothing(in runs: [StoredRun], _ call: ProgramCommand.Call) throws -> BSSError {
        let known = try runs.flatMap { try $0.metrics() }
        let near = Text.nearest(to: call[metric], in: known).map { "did you mean '\($0)'?" }
        return BSSError(call.path, "no epoch of these runs has '\(call[metric])'", hint: near, kind: .usage)
    }

    /// What was shown so far.
    private struct Screen {
        let metric: String
        let display: Display
        private var told: [String: Int] = [:]
        private(set) var hasShown = false

        init(metric: String, display: Display) { (self.metric, self.display) = (metric, display) }

        mutating func show(_ all: [(run: StoredRun, points: StoredRun.Curve)]) throws {
            let runs = all.map(\.run)
            let curves = all.filter { !$0.points.isEmpty }
            hasShown = hasShown || !curves.isEmpty
            guard display.isTerminal else { return tell(curves) }
            var figure = Figure(title: metric)
            figure.xLabel = "epoch"
            figure.series = curves.map { run, points in
                Figure.Series(
                    name: name(run), x: points.map { Double($0.epoch) }, y: points.map(\.value))
            }
            let chart =
                curves.isEmpty
                ? "no epoch of \(runs.count == 1 ? runs[0].id : "\(runs.count) runs") has \(metric) yet\n"
                : try figure.text(on: display)
            print("\u{1B}[H\u{1B}[2J" + chart + "\n" + runs.map(line).joined(separator: "\n"))
            fflush(nil)
        }

        private mutating func tell(_ curves: [(run: StoredRun, points: StoredRun.Curve)]) {
            for (run, points) in curves {
                for point in points where point.epoch > told[run.id] ?? 0 {
                    print("\(name(run)) epoch \(point.epoch): \(metric) \(Text.fixed(point.value, 4))")
                    told[run.id] = point.epoch
                }
            }
            fflush(nil)
        }

        private func name(_ run: StoredRun) -> String {
            "\(run.name)\(run.seed.map { ", seed \($0)" } ?? "") (\(run.id.prefix(6)))"
        }

        private func line(_ run: StoredRun) -> String { "\(name(run)): \(run.state.name)" }
    }
}
