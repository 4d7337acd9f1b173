/* A report as one HTML page: no script, nothing fetched, every text escaped where it stands. Readable in a
 * light and a dark room and on paper; tables have captions and header cells, so that a screen reader can
 * say where it is. Colour is never the only sign of a result. */
#include <string.h>

#include "evidence/verify-internal.h"

/* Bytes of a cell that stays on one line. */
#define SHORT_MAX 24u
#define COLUMNS_MAX 8u

static const char style[] =
	":root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#b8bfc6;--soft:#f2f4f6;--good:#0b5a2b;--open:#6b4400;"
	"--bad:#9b1c1c}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--paper:#16191d;--line:#4d555e;--soft:#22272d;--good:#7fd6a2;"
	"--open:#f0c27a;--bad:#ff9d9d}}"
	"body{font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:0 auto;padding:1rem}"
	"h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem;border-bottom:1px solid var(--line)}"
	".verdict{font-size:1.15rem;font-weight:600;padding:.8rem 1rem;border-left:.5rem solid;background:var(--soft);overflow-wrap:break-word}"
	".intact{color:var(--good)}.intact-unconfirmed{color:var(--open)}.broken{color:var(--bad)}"
	".exercise{font-weight:700;text-align:center;padding:.5rem;border:3px double var(--open);color:var(--open)}"
	"dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem 1rem}dt{font-weight:600}dd{margin:0;overflow-wrap:break-word}"
	"table{border-collapse:collapse;width:100%;margin:.8rem 0 1.2rem}caption{text-align:start;font-weight:600;padding:.3rem 0}"
	"th,td{border:1px solid var(--line);padding:.3rem .5rem;text-align:start;vertical-align:top;overflow-wrap:break-word}"
	".short{white-space:nowrap}.digest{overflow-wrap:anywhere;font-family:ui-monospace,monospace;font-size:.9em}.wide{overflow-x:auto}"
	"th{background:var(--soft)}"
	"@media(max-width:40rem){dl{grid-template-columns:1fr}dt{margin-top:.4rem}}"
	"@media print{.wide{overflow:visible}:root{--ink:#000;--paper:#fff;--soft:#fff;--good:#000;--open:#000;--bad:#000}body{max-width:none;font-size:10pt}"
	"h2{break-after:avoid}tr{break-inside:avoid}}";

static void escaped_run(struct buf *out, struct bytes in)
{
	for (size_t i = 0; i < in.len; i++) {
		switch (in.at[i]) {
		case '&':
			buf_add_text(out, "&amp;");
			break;
		case '<':
			buf_add_text(out, "&lt;");
			break;
		case '>':
			buf_add_text(out, "&gt;");
			break;
		case '"':
			buf_add_text(out, "&quot;");
			break;
		case '\'':
			buf_add_text(out, "&#39;");
			break;
		default:
			buf_add_u8(out, in.at[i]);
		}
	}
}

/* Line breaks of a text stay, as <br>; other control characters and bidi overrides become U+FFFD. */
static void escaped(struct buf *out, struct bytes in)
{
	while (in.len > 0) {
		struct bytes line = bytes_slice(in, 0, bytes_find(in, '\n'));
		AUTO_BUF clean = { 0 };

		buf_init(&clean, 4 * MIB);
		text_printable(line, &clean);
		escaped_run(out, buf_bytes(&clean));
		if (line.len < in.len)
			buf_add_text(out, "<br>");
		in = bytes_slice(in, line.len + (line.len < in.len), in.len);
	}
}

static void element(struct buf *out, const char *open, struct bytes text, const char *close)
{
	buf_add_text(out, open);
	escaped(out, text);
	buf_add_text(out, close);
}

static struct bytes text_at(const json_t *row, size_t i)
{
	const json_t *v = json_array_get(row, i);

	return bytes_from(json_string_value(v), json_string_length(v));
}

static void html_begin(struct buf *out, const char *title, bool exercise)
{
	buf_add_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
			  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
	element(out, "<title>", bytes_of(title), "</title>\n<style>");
	buf_add_text(out, style);
	buf_add_text(out, "</style>\n</head>\n<body>\n<main>\n");
	if (exercise)
		buf_add_text(out, "<p class=\"exercise\" role=\"note\">EXERCISE: nothing in this is about a real case</p>\n");
	element(out, "<h1>", bytes_of(title), "</h1>\n");
}

/* result is one of three words of ours; anything else gets no class. */
static void html_verdict(struct buf *out, const char *result, const char *text)
{
	bool known = strcmp(result, "intact") == 0 || strcmp(result, "intact-unconfirmed") == 0 || strcmp(result, "broken") == 0;

	buf_add_format(out, "<p class=\"verdict %s\">", known ? result : "");
	element(out, "", bytes_of(text), "</p>\n");
}

static void html_section(struct buf *out, const char *title)
{
	element(out, "<h2>", bytes_of(title), "</h2>\n");
}

static void html_paragraph(struct buf *out, const char *text)
{
	element(out, "<p>", bytes_of(text), "</p>\n");
}

static void html_list(struct buf *out, const json_t *items)
{
	buf_add_text(out, "<ul>\n");
	for (size_t i = 0; i < json_array_size(items); i++)
		element(out, "<li>", text_at(items, i), "</li>\n");
	buf_add_text(out, "</ul>\n");
}

static void html_fields(struct buf *out, const json_t *pairs)
{
	buf_add_text(out, "<dl>\n");
	for (size_t i = 0; i < json_array_size(pairs); i++) {
		element(out, "<dt>", text_at(json_array_get(pairs, i), 0), "</dt>");
		element(out, "<dd>", text_at(json_array_get(pairs, i), 1), "</dd>\n");
	}
	buf_add_text(out, "</dl>\n");
}

/* A column of short cells is not wrapped; one of digests may break anywhere, words may not. */
static const char *column_class(const json_t *rows, size_t k)
{
	size_t longest = 0;
	bool digests = json_array_size(rows) > 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		struct bytes cell = text_at(json_array_get(rows, i), k);

		longest = cell.len > longest ? cell.len : longest;
		digests = digests && cell.len == 2 * SHA256_BYTES && bytes_find(cell, ' ') == cell.len;
	}
	return digests ? "<td class=\"digest\">" : longest <= SHORT_MAX ? "<td class=\"short\">" : "<td>";
}

static void html_table(struct buf *out, const char *caption, const json_t *heads, const json_t *rows)
{
	const char *cells[COLUMNS_MAX] = { 0 };

	for (size_t k = 0; k < json_array_size(heads) && k < COLUMNS_MAX; k++)
		cells[k] = column_class(rows, k);
	element(out, "<div class=\"wide\"><table>\n<caption>", bytes_of(caption), "</caption>\n<thead><tr>");
	for (size_t k = 0; k < json_array_size(heads); k++)
		element(out, "<th scope=\"col\">", text_at(heads, k), "</th>");
	buf_add_text(out, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < json_array_size(rows); i++) {
		buf_add_text(out, "<tr>");
		for (size_t k = 0; k < json_array_size(heads); k++)
			element(out, k < COLUMNS_MAX ? cells[k] : "<td>", text_at(json_array_get(rows, i), k), "</td>");
		buf_add_text(out, "</tr>\n");
	}
	buf_add_text(out, "</tbody>\n</table></div>\n");
}

static void html_end(struct buf *out)
{
	buf_add_text(out, "</main>\n</body>\n</html>\n");
}

void verify_html(const json_t *report, int offset_minutes, struct buf *out)
{
	static const struct teller html = { html_begin, html_verdict, html_section, html_paragraph, html_list, html_fields,
					    html_table, html_end };

	verify_tell(report, offset_minutes, &html, out);
}
