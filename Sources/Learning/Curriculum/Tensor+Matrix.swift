import BSSCore
import BSSTensor

extension Tensor: MatrixConvertible {
    public func numbers() throws -> (shape: [Int], values: [Double]) {
        ((0..<shape.rank).map { shape[$0] }, try values(Double.self))
    }
}
