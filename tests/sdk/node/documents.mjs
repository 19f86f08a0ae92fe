// Makes minimal documents: PDFs of blank pages.

/** Returns a PDF of this many US Letter pages. */
export function pdf(pages) {
  const kids = Array.from({ length: pages }, (_, page) => `${3 + page} 0 R`).join(" ");
  const page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>";
  const objects = ["<< /Type /Catalog /Pages 2 0 R >>", `<< /Type /Pages /Kids [${kids}] /Count ${pages} >>`];
  objects.push(...Array(pages).fill(page));
  let out = "%PDF-1.4\n";
  const entries = objects.map((body, index) => {
    const offset = String(out.length).padStart(10, "0");
    out += `${index + 1} 0 obj\n${body}\nendobj\n`;
    return `${offset} 00000 n \n`;
  });
  const table = out.length;
  const size = objects.length + 1;
  out += `xref\n0 ${size}\n0000000000 65535 f \n${entries.join("")}`;
  out += `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`;
  return Buffer.from(out, "latin1");
}
