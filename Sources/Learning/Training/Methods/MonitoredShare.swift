import BSSCore

/// The option of methods that keep a part of the training split to monitor (`Holdout`).
struct MonitoredShare: OptionGroup {
    @Option(
        "holdout",
        "share of the training split that is kept out for the method to monitor, stratified; 0: it monitors the "
            + "validation split", Check("from 0, less than 1") { $0 >= 0 && $0 < 1 })
    var share = 0.1
}
