import BSSBackend
import CBSSCUDA

extension bss_walk {
    /// The elements of views of one shape.
    init(_ views: ArrayView...) { self.init(views[0].shape.array, views.map { $0.strides.array }) }

    /// Axes of size 1 are left out; neighbours that every view steps through evenly become one.
    init(_ shape: [Int], _ strides: [[Int]]) {
        var sizes: [Int] = []
        var steps: [[Int]] = []
        for axis in shape.indices where shape[axis] != 1 {
            let step = strides.map { $0[axis] }
            if let last = steps.last, zip(last, step).allSatisfy({ $0 == $1 * shape[axis] }) {
                sizes[sizes.count - 1] *= shape[axis]
                steps[steps.count - 1] = step
            } else {
                sizes.append(shape[axis])
                steps.append(step)
            }
        }
        self.init(exactly: sizes, steps, count: shape.reduce(1, *))
    }

    /// Axes as they are: steps[axis][view].
    init(exactly sizes: [Int], _ steps: [[Int]], count: Int) {
        self.init()
        self.count = Int64(count)
        rank = Int64(sizes.count)
        withUnsafeMutableBytes(of: &shape) { bytes in
            let to = bytes.assumingMemoryBound(to: Int.self)
            for axis in sizes.indices { to[axis] = sizes[axis] }
        }
        withUnsafeMutableBytes(of: &stride) { bytes in
            let to = bytes.assumingMemoryBound(to: Int.self)
            for axis in steps.indices {
                for view in steps[axis].indices { to[view * BSS_WALK_RANK + axis] = steps[axis][view] }
            }
        }
    }

    /// Whether neighbouring elements lie side by side in view 0.
    var isDense: Bool {
        guard rank > 0 else { return false }
        return withUnsafeBytes(of: stride) { $0.assumingMemoryBound(to: Int.self)[Int(rank) - 1] } == 1
    }
}

extension ArrayView {
    /// N and C of a contiguous [.., C].
    var columns: Int { shape.last }
    var rows: Int { shape.last == 0 ? 0 : elementCount / shape.last }
}
