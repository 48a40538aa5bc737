import BSSCore

extension Namespace {
    /// Every kind of object that scripts can hold: those that the root names, and what the families make.
    package var allTypes: [ObjectType] {
        var found = types + received
        func visit(_ namespace: Namespace) {
            if let product = namespace.product, !found.contains(where: { $0.name == product.name }) {
                found.append(product)
            }
            for case .namespace(let child) in namespace.entries { visit(child) }
        }
        visit(self)
        return found
    }
}
