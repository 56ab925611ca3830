/* SPDX-License-Identifier: MIT */
/*
 * words.c: what a script and its outcome are called in messages.
 */
#include "script/line.h"
#include "script/names.h"

#include <string.h>

const char *fault_kind_name(uint16_t kind)
{
	for (const struct name *row = fault_kind_names; row->name; row++)
		if (row->value == kind)
			return row->name;
	return "?";
}

const char *status_text(uint16_t status)
{
	switch ((enum kvmap_status)status) {
	case KVMAP_OK: return "done";
	case KVMAP_REFUSED_ZERO_SIZE: return "a size of zero";
	case KVMAP_REFUSED_TOO_LARGE: return "more than all of RAM";
	case KVMAP_REFUSED_NO_SPACE: return "no virtual range is large enough";
	case KVMAP_REFUSED_NO_MEMORY: return "not enough free frames";
	case KVMAP_REFUSED_NOT_AN_AREA: return "a pointer to no area";
	case KVMAP_REFUSED_DOUBLE_FREE: return "double free";
	case KVMAP_REFUSED_UNALIGNED: return "a pointer that is not page-aligned";
	case KVMAP_REFUSED_INTERIOR: return "a pointer into an area, not to its start";
	case KVMAP_REFUSED_UNSET: return "the variable holds no live area";
	case KVMAP_REFUSED_UNKNOWN: return "this guest does not know it";
	case KVMAP_REFUSED_NOT_FILLED: return "nobody stated what the area holds (fill it first)";
	case KVMAP_REFUSED_OTHER_KIND: return "another function frees this area";
	case KVMAP_REFUSED_COUNT: return "not the number of pages that were mapped";
	case KVMAP_REFUSED_NOFAIL: return "an allocation that must not fail (any may)";
	case KVMAP_REFUSED_FLAGS: return "flags that no allocation can have";
	case KVMAP_REFUSED_WX: return "it would be writable and executable at once";
	case KVMAP_REFUSED_RIGHTS: return "the area may not be written";
	case KVMAP_REFUSED_NO_CPU: return "the guest has no such CPU (give it more with --cpus)";
	case KVMAP_REFUSED_INTERRUPT: return "not in an interrupt";
	case KVMAP_FAILED_FAULT: return "an access faulted that should not";
	case KVMAP_FAILED_NO_FAULT: return "the expected fault did not happen";
	case KVMAP_FAILED_OTHER_FAULT: return "another kind of fault happened";
	case KVMAP_FAILED_CONTENT: return "other bytes than were written";
	case KVMAP_FAILED_NOT_REFUSED: return "done, and it should have been refused";
	}
	return "a status that does not exist";
}

const char *script_line(const struct script *script, uint32_t line, char *out, size_t size)
{
	const char *text = script->text, *end;

	if (!size)
		return out;
	out[0] = '\0';
	for (; line > 1 && text; line--) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	if (!line || !text)
		return out;
	text += strspn(text, " \t");
	end = line_code_end(text, strcspn(text, "\r\n"), NULL);
	if ((size_t)(end - text) < size)
		size = (size_t)(end - text) + 1;
	memcpy(out, text, size - 1);
	out[size - 1] = '\0';
	return out;
}
