import BSSCore
import BSSLua
import BSSNotebook
import BSSSession

/// The documentation as a static site: tutorials, guides and explanations are notebooks, the reference comes from the
/// declarations. No page needs a network; the search index lies beside them.
///
/// The four kinds follow Diátaxis (Procida).
public struct Site {
    /// A file of the site: its name within the folder, and its text.
    public struct File {
        public let name: String
        public let text: String
    }

    /// What the search finds: a title, where it stands, and the words around it.
    struct Entry {
        let title: String
        let address: String
        let words: String
    }

    public enum Kind: String, CaseIterable {
        case tutorial, guide, explanation, reference

        var heading: String {
            switch self {
            case .tutorial: return "Tutorials"
            case .guide: return "How-to guides"
            case .explanation: return "Explanation"
            case .reference: return "Reference"
            }
        }
    }

    /// A page before its frame.
    struct Page {
        let kind: Kind
        let name: String
        let title: String
        let body: String
        let entries: [Entry]
        /// Within its kind.
        var order = 0
        var address: String { "\(name).html" }
    }

    /// - Parameter notebooks: with their outputs, by name; a tag of the first cell says what kind each is.
    public static func files(
        _ root: Namespace, version: String, notebooks: [(name: String, file: NotebookFile)],
        commands: [(name: String, text: String)]
    ) throws -> [File] {
        let guides = try notebooks.map { try GuidePage.page($0.name, $0.file) }
        let pages = (guides + ReferencePages.pages(root, commands: commands))
            .sorted { ($0.order, $0.title) < ($1.order, $1.title) }
        let frame = Frame(pages: pages, version: version)
        let index = pages.flatMap(\.entries)
        return pages.map { File(name: $0.address, text: frame.page($0)) }
            + [File(name: "index.html", text: frame.start()), File(name: "search.js", text: SearchIndex.script(index))]
    }
}
