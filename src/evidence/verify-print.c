/* A report as plain text. What comes from outside is made safe for a terminal first: control characters and
 * those that turn the direction of writing cannot forge a line of the report. */
#include <string.h>

#include "evidence/verify-internal.h"

#define LINE_WIDTH 96u
#define TABLE_WIDTH 132u
#define COLUMNS_MAX 8u

/* Line breaks become spaces, so that a text of a statement stays within its place. */
static void add_clean(struct buf *out, struct bytes in)
{
	while (in.len > 0) {
		size_t n = 0;

		while (n < in.len && in.at[n] != '\n' && in.at[n] != '\r' && in.at[n] != '\t')
			n++;
		text_printable(bytes_slice(in, 0, n), out);
		if (n < in.len)
			buf_add_u8(out, ' ');
		in = bytes_slice(in, n + (n < in.len), in.len);
	}
}

static struct bytes text_at(const json_t *row, size_t i)
{
	const json_t *v = json_array_get(row, i);

	return bytes_from(json_string_value(v), json_string_length(v));
}

/* Characters, not bytes: good enough to line columns up. */
static size_t width_of(struct bytes in)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++)
		n += (in.at[i] & 0xc0) != 0x80;
	return n;
}

static void spaces(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_add_u8(out, ' ');
}

/* Wraps at spaces; the first line begins after `used` characters, the others after `indent`. */
static void wrapped(struct buf *out, struct bytes text, size_t used, size_t indent)
{
	AUTO_BUF clean = { 0 };
	struct bytes rest;
	bool first = true;

	buf_init(&clean, 4 * MIB);
	add_clean(&clean, text);
	rest = buf_bytes(&clean);
	while (rest.len > 0) {
		struct bytes word = bytes_cut(&rest, ' ');
		size_t width = width_of(word);

		if (!first && used + 1 + width > LINE_WIDTH) {
			buf_add_u8(out, '\n');
			spaces(out, indent);
			used = indent;
		} else if (!first) {
			buf_add_u8(out, ' ');
			used++;
		}
		buf_add(out, word);
		used += width;
		first = false;
	}
	buf_add_u8(out, '\n');
}

static void rule(struct buf *out, char c, size_t n)
{
	while (n-- > 0)
		buf_add_u8(out, (uint8_t)c);
	buf_add_u8(out, '\n');
}

static void print_begin(struct buf *out, const char *title, bool exercise)
{
	buf_add_text(out, title);
	buf_add_u8(out, '\n');
	rule(out, '=', strlen(title));
	if (exercise)
		buf_add_text(out, "EXERCISE - EXERCISE - EXERCISE: nothing in this is about a real case.\n");
	buf_add_u8(out, '\n');
}

static void print_paragraph(struct buf *out, const char *text)
{
	wrapped(out, bytes_of(text), 0, 0);
	buf_add_u8(out, '\n');
}

static void print_verdict(struct buf *out, const char *result, const char *text)
{
	print_paragraph(out, text);
}

static void print_section(struct buf *out, const char *title)
{
	buf_add_text(out, title);
	buf_add_u8(out, '\n');
	rule(out, '-', strlen(title));
}

static void print_list(struct buf *out, const json_t *items)
{
	for (size_t i = 0; i < json_array_size(items); i++) {
		buf_add_text(out, "- ");
		wrapped(out, text_at(items, i), 2, 2);
	}
	buf_add_u8(out, '\n');
}

static void print_fields(struct buf *out, const json_t *pairs)
{
	size_t widest = 0;

	for (size_t i = 0; i < json_array_size(pairs); i++) {
		size_t width = width_of(text_at(json_array_get(pairs, i), 0));

		widest = width > widest ? width : widest;
	}
	for (size_t i = 0; i < json_array_size(pairs); i++) {
		struct bytes name = text_at(json_array_get(pairs, i), 0);

		buf_add_text(out, "  ");
		add_clean(out, name);
		spaces(out, widest - width_of(name) + 2);
		wrapped(out, text_at(json_array_get(pairs, i), 1), widest + 4, widest + 4);
	}
	buf_add_u8(out, '\n');
}

/* As many words as fit; a word that is longer than its column has a line of its own. */
static struct bytes take_line(struct bytes *rest, size_t width)
{
	size_t end = 0, used = 0;

	for (size_t i = 0; i < rest->len && (used < width || end == 0); i++) {
		used += (rest->at[i] & 0xc0) != 0x80;
		if (i + 1 == rest->len || rest->at[i + 1] == ' ')
			end = used <= width || end == 0 ? i + 1 : end;
	}
	struct bytes line = bytes_slice(*rest, 0, end);

	*rest = bytes_slice(*rest, end + (end < rest->len), rest->len);
	return line;
}

static void print_cells(struct buf *out, const json_t *row, const size_t *widths, size_t columns)
{
	struct bytes rest[COLUMNS_MAX] = { 0 };
	struct buf clean[COLUMNS_MAX] = { 0 };
	bool more = true;

	for (size_t i = 0; i < columns; i++) {
		buf_init(&clean[i], 4 * MIB);
		add_clean(&clean[i], text_at(row, i));
		rest[i] = buf_bytes(&clean[i]);
	}
	while (more) {
		size_t behind = 2;

		more = false;
		for (size_t i = 0; i < columns; i++) {
			struct bytes line = take_line(&rest[i], widths[i]);

			if (line.len > 0) {
				spaces(out, behind);
				buf_add(out, line);
				behind = 0;
			}
			behind += widths[i] + 2 - (width_of(line) < widths[i] + 1 ? width_of(line) : widths[i] + 1);
			more = more || rest[i].len > 0;
		}
		buf_add_u8(out, '\n');
	}
	for (size_t i = 0; i < columns; i++)
		buf_release(&clean[i]);
}

static size_t longest_word(struct bytes in)
{
	size_t longest = 0;

	while (in.len > 0) {
		size_t width = width_of(bytes_cut(&in, ' '));

		longest = width > longest ? width : longest;
	}
	return longest;
}

/* Takes from the widest column, not below its longest word, until the row fits; false when it cannot. */
static bool shrink(size_t *widths, const size_t *least, size_t columns, size_t total)
{
	while (total > TABLE_WIDTH) {
		size_t widest = columns;

		for (size_t k = 0; k < columns; k++)
			if (widths[k] > least[k] && (widest == columns || widths[k] > widths[widest]))
				widest = k;
		if (widest == columns)
			return false;
		widths[widest]--;
		total--;
	}
	return true;
}

/* Too wide for columns: each row becomes a block of fields. */
static void print_blocks(struct buf *out, const json_t *heads, const json_t *rows)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		for (size_t k = 0; k < json_array_size(heads); k++) {
			struct bytes name = text_at(heads, k);

			buf_add_text(out, k == 0 ? "  - " : "    ");
			add_clean(out, name);
			buf_add_text(out, ": ");
			wrapped(out, text_at(json_array_get(rows, i), k), 6 + width_of(name), 6);
		}
	}
	buf_add_u8(out, '\n');
}

static size_t max_of(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void print_table(struct buf *out, const char *caption, const json_t *heads, const json_t *rows)
{
	size_t widths[COLUMNS_MAX] = { 0 }, least[COLUMNS_MAX] = { 0 }, columns = json_array_size(heads), total = 0;

	buf_add_text(out, "  ");
	add_clean(out, bytes_of(caption));
	buf_add_text(out, ":\n");
	for (size_t k = 0; k < columns && k < COLUMNS_MAX; k++) {
		widths[k] = width_of(text_at(heads, k));
		least[k] = longest_word(text_at(heads, k));
		for (size_t i = 0; i < json_array_size(rows); i++) {
			widths[k] = max_of(widths[k], width_of(text_at(json_array_get(rows, i), k)));
			least[k] = max_of(least[k], longest_word(text_at(json_array_get(rows, i), k)));
		}
		total += widths[k] + 2;
	}
	if (columns > COLUMNS_MAX || !shrink(widths, least, columns, total)) {
		print_blocks(out, heads, rows);
		return;
	}
	print_cells(out, heads, widths, columns);
	buf_add_text(out, "  ");
	rule(out, '-', (total < TABLE_WIDTH ? total : TABLE_WIDTH) - 2);
	for (size_t i = 0; i < json_array_size(rows); i++)
		print_cells(out, json_array_get(rows, i), widths, columns);
	buf_add_u8(out, '\n');
}

static void print_end(struct buf *out)
{
}

void verify_print(const json_t *report, int offset_minutes, struct buf *out)
{
	static const struct teller text = { print_begin, print_verdict, print_section, print_paragraph, print_list, print_fields,
					    print_table, print_end };

	verify_tell(report, offset_minutes, &text, out);
}
