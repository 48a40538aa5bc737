import BSSCore
import BSSTensor

/// The three parts of a dataset.
public enum SplitName: String, CaseIterable, Sendable { case train, val, test }

/// What training needs to know of a dataset. Rows number all samples of all splits from 0.
public protocol SampleSource: AnyObject {
    var name: String { get }
    var modalities: [String] { get }
    /// Without the batch axis.
    func sampleShape(_ modality: Int) -> [Int]
    var classes: Int { get }
    /// The class column (0 ..< classes) of every row.
    var classColumns: [Int] { get }
    /// Rows of a split; empty if the dataset has none.
    func rows(_ split: SplitName) -> [Int]
    /// Samples [B, …] of one modality. `augments` asks for training transforms, where the dataset has any.
    func batch(_ modality: Int, rows: [Int], augments: Bool, random: RandomStream) throws -> Tensor
    /// How a row is named in messages.
    func describe(row: Int) -> String
    /// Hash of the data, for run records.
    var fingerprint: String { get }
}
