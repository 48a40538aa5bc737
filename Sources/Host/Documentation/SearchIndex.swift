import BSSCore

/// The search: a list of titles and words, and the few lines that look in it.
enum SearchIndex {
    static func script(_ entries: [Site.Entry]) -> String {
        let rows = entries.map { entry in
            Value.list([.string(entry.title), .string(entry.address), .string(entry.words.lowercased())])
        }
        let list = JSON.text(.list(rows))
        return """
            const entries = \(list);
            const field = document.getElementById("search"), found = document.getElementById("found");
            function score(entry, words) {
              const title = entry[0].toLowerCase();
              let sum = 0;
              for (const word of words) {
                if (title === word || title.endsWith("." + word) || title.endsWith(":" + word)) sum += 8;
                else if (title.includes(word)) sum += 4;
                else if (entry[2].includes(word)) sum += 1;
                else return 0;
              }
              return sum;
            }
            field.addEventListener("input", () => {
              const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
              const hits = words.length === 0 ? [] : entries.map(e => [score(e, words), e]).filter(h => h[0] > 0);
              hits.sort((a, b) => b[0] - a[0]);
              found.replaceChildren(...hits.slice(0, 12).map(([, entry]) => {
                const row = document.createElement("li"), link = document.createElement("a");
                link.href = entry[1];
                link.textContent = entry[0];
                row.append(link);
                return row;
              }));
              found.hidden = words.length === 0;
              if (words.length > 0 && hits.length === 0) found.textContent = "nothing found";
            });

            """
    }
}
