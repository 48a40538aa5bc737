import BSSBackend
import BSSCore
import BSSTensor

/// One array in some place of memory: the shapes and layouts that every operator is tried on.
struct Input {
    let name: String
    let make: (DType) throws -> Tensor

    /// Small whole numbers, which every dtype holds exactly; bool sees which are not 0.
    static func numbers(_ shape: Shape, _ dtype: DType, seed: Int = 0) throws -> Tensor {
        let count = shape.elementCount
        let values = (0..<count).map { Double(($0 * 7 + seed * 3 + 2) % 9 - 3) }
        return try Tensor.from(values, shape).converted(to: .bool == dtype ? .bool : dtype)
    }

    private init(_ name: String, _ shape: Shape, _ turn: @escaping (Tensor) throws -> Tensor = { $0 }) {
        self.name = name
        make = { try turn(Input.numbers(shape, $0)) }
    }

    /// Empty, without inner size, of size 1, scalar, broadcast, turned, with steps, backwards, many axes.
    static let layouts: [Input] = [
        Input("[0]", [0]), Input("[0, 3]", [0, 3]), Input("[3, 0]", [3, 0]), Input("[2, 0, 4]", [2, 0, 4]),
        Input("[]", []), Input("[1]", [1]), Input("[1, 1]", [1, 1]), Input("[5]", [5]), Input("[3, 4]", [3, 4]),
        Input("[2, 3, 4]", [2, 3, 4]),
        Input("[4, 3] turned", [4, 3]) { try $0.transposed(0, 1) },
        Input("[2, 3, 4, 5] channels last", [2, 4, 5, 3]) { try $0.permuted([0, 3, 1, 2]) },
        Input("[7, 8] every second", [7, 8]) {
            try $0.sliced(0, from: 1, to: 7, step: 2).sliced(1, from: 1, to: 8, step: 2)
        },
        Input("[6] backwards", [6]) { try $0.flipped([0]) },
        Input("[3, 4] backwards", [3, 4]) { try $0.flipped([0, 1]) },
        Input("[1, 4] stretched", [1, 4]) { try $0.expanded([3, 4]) },
        Input("[3, 1] stretched", [3, 1]) { try $0.expanded([3, 4]) },
        Input("[1] stretched empty", [1]) { try $0.expanded([0]) },
        Input("[2, 2, 2, 2, 2, 2, 2, 2]", [2, 2, 2, 2, 2, 2, 2, 2]),
        Input("inner window", [6, 6]) { try $0.sliced(0, from: 2, to: 5).sliced(1, from: 3, to: 6) },
    ]

    /// Where kernels cut their work.
    static let big: [Input] = [
        Input("[20000, 1]", [20_000, 1]), Input("[1, 20000]", [1, 20_000]), Input("[129, 257]", [129, 257]),
        Input("[257, 129] turned", [257, 129]) { try $0.transposed(0, 1) }, Input("[3, 4097]", [3, 4097]),
    ]
}
