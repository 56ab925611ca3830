/* SPDX-License-Identifier: MIT */
#include "report/text.h"

#include "base/escape.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define CELL_LEAST  20   /* columns of the last cell of a row */
#define NARROW_HANG 8    /* where the last cell goes on, if it has fewer */
#define TEXT_MAX    2048 /* bytes of a paragraph; the rest is cut */

static const char *paint_start(const struct report *report, enum paint paint)
{
	static const char *const sequences[] = {
		[PAINT_PLAIN] = "",         [PAINT_BOLD] = "\033[1m",  [PAINT_GOOD] = "\033[32m",
		[PAINT_BAD] = "\033[1;31m", [PAINT_FAINT] = "\033[2m",
	};

	return report->colour ? sequences[paint] : "";
}

static const char *paint_end(const struct report *report, enum paint paint)
{
	return report->colour && paint != PAINT_PLAIN ? "\033[0m" : "";
}

void text_heading(struct report *report, const char *title)
{
	fprintf(report->stream, "\n%s%s%s\n", paint_start(report, PAINT_BOLD), title,
		paint_end(report, PAINT_BOLD));
}

/* The bytes of the first `columns` characters of text[0..length). */
static size_t bytes_of_columns(const char *text, size_t length, unsigned int columns)
{
	size_t i = 0;

	for (; i < length && columns; columns--)
		for (i++; i < length && ((unsigned char)text[i] & 0xc0) == 0x80;)
			i++;
	return i;
}

/* Bytes of the text that fit: all, or up to the last blank, or `columns` characters of a long word. */
static size_t fitting(const char *text, size_t length, unsigned int columns)
{
	size_t most = bytes_of_columns(text, length, columns), cut = most;

	if (most == length)
		return length;
	while (cut && text[cut] != ' ')
		cut--;
	return cut ? cut : most;
}

void text_line(struct report *report, enum paint paint, unsigned int indent, unsigned int hang,
	       const char *format, ...)
{
	unsigned int columns = report->columns ? report->columns : TEXT_COLUMNS, first = columns;
	char raw[TEXT_MAX], text[TEXT_MAX + 8];
	const char *at = text;
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	vsnprintf(raw, sizeof(raw), format, arguments);
	va_end(arguments);
	/* In a terminal that is too narrow the cells of a row stay together, and its last one goes on below them. */
	if (hang + CELL_LEAST > columns) {
		first = columns > hang ? columns : hang;
		hang = NARROW_HANG;
	}
	length = strlen(text_filter(raw, strlen(raw), text, sizeof(text)));
	do {
		size_t bytes = fitting(at, length, first - indent), shown = bytes;

		while (shown && at[shown - 1] == ' ')
			shown--;
		fprintf(report->stream, "%*s%s%.*s%s\n", (int)indent, "", paint_start(report, paint),
			(int)shown, at, paint_end(report, paint));
		at += bytes;
		length -= bytes;
		while (length && *at == ' ') {
			at++;
			length--;
		}
		indent = hang;
		first = columns;
	} while (length);
}

const char *text_count(uint64_t count, char *out, size_t size)
{
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count), used = 0;

	for (size_t i = 0; i < length && used + 2 < size; i++) {
		if (i && (length - i) % 3 == 0)
			out[used++] = ',';
		out[used++] = digits[i];
	}
	out[used] = '\0';
	return out;
}

const char *text_duration(uint64_t ns, char *out, size_t size)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	double value = (double)ns;
	unsigned int unit = 0;

	while (value >= 999.5 && unit < 3) {
		value /= 1000;
		unit++;
	}
	snprintf(out, size, "%.*f %s",
		 !unit || value >= 99.95 ? 0
		 : value >= 9.995        ? 1
					 : 2,
		 value, units[unit]);
	return out;
}

/* Plural forms of the nouns in reports: page, frame, entry, flush, access. */
static const char *plural_ending(const char *thing, size_t *stem_out)
{
	size_t length = strlen(thing);

	*stem_out = length;
	if (length && thing[length - 1] == 'y') {
		*stem_out = length - 1;
		return "ies";
	}
	return length && strchr("sh", thing[length - 1]) ? "es" : "s";
}

const char *text_number_of(uint64_t count, const char *thing, char *out, size_t size)
{
	char digits[32] = "no";
	size_t stem;
	const char *ending = plural_ending(thing, &stem);

	if (count)
		text_count(count, digits, sizeof(digits));
	if (count == 1)
		snprintf(out, size, "1 %s", thing);
	else
		snprintf(out, size, "%s %.*s%s", digits, (int)stem, thing, ending);
	return out;
}

const char *text_variable(const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", name ? " '" : "", name ? name : "", name ? "'" : "");
	return out;
}
