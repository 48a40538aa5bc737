/// Convolution, pooling, normalisation, indexing and sorting: the second half of `Backend`.
public protocol StructuredBackend: AnyObject {
    // MARK: Indexing (indices are i64 and checked; repeated ones add up in ascending order)

    /// out[o, i, :] = x[o, indices[i], :] along `axis`; all contiguous.
    func indexSelect(_ x: ArrayView, axis: Int, indices: ArrayView, out: ArrayView) throws
    /// out[o, indices[i], :] += alpha · source[o, i, :]; all contiguous; index `skip` is left out.
    func indexAdd(into out: ArrayView, axis: Int, indices: ArrayView, source: ArrayView, alpha: Double, skip: Int) throws
    /// out[…, i, …] = x[…, index[…, i, …], …] along `axis`.
    func gather(_ x: ArrayView, axis: Int, index: ArrayView, out: ArrayView) throws
    /// out[…, index[…, i, …], …] += source[…, i, …] along `axis`.
    func scatterAdd(into out: ArrayView, axis: Int, index: ArrayView, source: ArrayView) throws
}
