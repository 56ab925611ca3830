/* SPDX-License-Identifier: MIT */
/*
 * statements.h: what a line of the shell is: a word of its own, an inspecting command, or an operation. Some words are of two
 * kinds: `areas 100 4K` is an operation, `areas` a command; `print "text"` an operation, `print init_top_pgt` a command;
 * `verify` an operation, `verify off` a word of the shell.
 */
#ifndef VMM_SHELL_STATEMENTS_H
#define VMM_SHELL_STATEMENTS_H

enum statement {
	STATEMENT_NOTHING, /* blank */
	STATEMENT_OWN,
	STATEMENT_COMMAND,
	STATEMENT_OPERATION,
};

/* The line has no comment. commands: names of the inspecting commands; NULL ends the list. */
enum statement statement_of(const char *line, const char *const *commands);

/* 1: the line begins a block, right or wrong (`repeat`, `parallel`, `on cpu 0 parallel`); -1: it is an `end`; 0: neither. A newline ends it. */
int statement_depth(const char *line);

/*
 * The word of the shell, or command, that the line's first word may mean if it is mistyped. NULL: there is none near enough, or
 * an operation is as near.
 */
const char *statement_meant(const char *line, const char *const *commands);

#endif
