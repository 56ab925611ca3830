# SPDX-License-Identifier: MIT
"""breaks.py: ways to break one line of C. Most keep the program valid; the compiler decides.

A break is (description, edits), an edit (start, end, replacement) in the text of the file. Edits keep the number of lines.
"""
import re

TOKEN = re.compile(r'''->|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|[-+*/%&|^]=|"[^"\n]*"|'[^'\n]*'|'''
                   r'''[A-Za-z_]\w*|\d\w*|\S''')
# What replaces an operator that has an operand on each side.
BINARY = {'<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==', '&&': '||', '||': '&&', '+': '-', '-': '+',
          '<<': '>>', '>>': '<<', '&': '|', '|': '&', '/': '*', '%': '/', '+=': '-=', '-=': '+=', '|=': '&=', '&=': '|=',
          '<<=': '>>=', '>>=': '<<='}
UNARY = {'++': '--', '--': '++', '!': '', '~': ''}
WORDS = {'true': 'false', 'false': 'true', 'break': '', 'continue': ''}
NO_OPERANDS = {'return', 'case', 'sizeof', 'else', 'goto'}
OPENING, CLOSING = '([{', ')]}'


def mask(text):
    """The text without comments, and with the contents of strings and characters made neutral; offsets stay."""
    def neutral(match):
        found = match.group()
        if found.startswith('/'):
            return re.sub(r'[^\n]', ' ', found)
        return found[0] + 's' * (len(found) - 2) + found[0]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', neutral, text, flags=re.S)


def end_of(masked, start, stop):
    """Offset of the first character of `stop` from start on, outside brackets opened since; None if there is none."""
    depth = 0
    for i in range(start, len(masked)):
        if depth == 0 and masked[i] in stop:
            return i
        if masked[i] in OPENING:
            depth += 1
        elif masked[i] in CLOSING:
            depth -= 1
            if depth < 0:
                return None
    return None


def blank(masked, start, end):
    """What replaces [start, end) if nothing shall remain there: its line ends."""
    return '\n' * masked.count('\n', start, end)


def conditions(masked, start, end):
    for match in re.finditer(r'\b(if|while|for)\s*\(', masked[start:end]):
        first = start + match.end()
        last = end_of(masked, first, ')')
        if match.group(1) == 'for' and last:
            first = (end_of(masked, first, ';') or last) + 1
            last = end_of(masked, first, ';')
        if last and masked[first:last].strip():
            yield 'condition negated', [(first, first, '!('), (last, last, ')')]


def operators(masked, start, end):
    # `returns` breaks returned numbers: a failure is any negative one, so that -2 is no break of -1.
    previous = before = ''
    for match in TOKEN.finditer(masked, start, end):
        token, where = match.group(), (match.start(), match.end())
        operand = re.match(r'[\w)\]]', previous) and previous not in NO_OPERANDS
        if token in BINARY and operand:
            yield f'`{token}` becomes `{BINARY[token]}`', [(*where, BINARY[token])]
        elif token in UNARY:
            yield f'`{token}` becomes `{UNARY[token]}`', [(*where, UNARY[token])]
        elif token in WORDS:
            yield f'`{token}` becomes `{WORDS[token]}`', [(*where, WORDS[token])]
        elif 'return' not in (previous, before) and re.fullmatch(r'(0[xX][0-9a-fA-F]+|\d+)[uUlL]*', token):
            value, suffix = re.fullmatch(r'(.*?)([uUlL]*)', token).groups()
            number = int(value, 8 if re.fullmatch('0[0-7]+', value) else 0) + 1
            more = f'{number:#x}' if 'x' in value.lower() else f'0{number:o}' if value[0] == '0' != value else str(number)
            yield f'{token} becomes {more + suffix}', [(*where, more + suffix)]
        previous, before = token, previous


def returns(masked, start, end):
    for match in re.finditer(r'\breturn\s+', masked[start:end]):
        first = start + match.end()
        last = end_of(masked, first, ';')
        if last is None:
            continue
        # 0 and -1 are success and failure; `operators` breaks true and false.
        others = {'0': ['-1'], '-1': ['0'], 'true': [], 'false': []}
        for other in others.get(masked[first:last].strip(), ['0', '1']):
            yield f'returns {other}', [(first, last, other + blank(masked, first, last))]


def statements(masked, start, end):
    """Deletes the statement that begins in the line, after a label or a condition if there is one."""
    starts = {0}
    for match in re.finditer(r'\b(if|while|for)\s*\(|\belse\b|:(?!:)', masked[start:end]):
        after = match.end()
        if match.group(1):
            closed = end_of(masked, start + after, ')')
            after = closed + 1 - start if closed else end
        starts.add(after)
    for offset in sorted(starts):
        first = start + offset
        word = re.match(r'\s*(\w*)', masked[first:end])
        last = end_of(masked, first, ';')
        if last is None or last == first or word.group(1) in ('return', 'break', 'continue', 'if', 'for', 'while', 'else',
                                                               'switch', 'case', 'default', 'do'):
            continue
        if masked[first:end].strip() and '{' not in masked[first:last]:
            yield 'statement deleted', [(first, last, blank(masked, first, last))]


def values(masked, start, end):
    """A value that is assigned or initializes; a member's initializer goes."""
    member = re.match(r'\s*(\.\w+\s*=)', masked[start:end])
    if member:
        last = end_of(masked, start, ',') or end_of(masked, start, '}')
        if last:
            yield 'initializer deleted', [(start, last + (masked[last] == ','), blank(masked, start, last))]
        return
    for match in re.finditer(r'(?<![=!<>+\-*/%&|^])=(?!=)\s*', masked[start:end]):
        first = start + match.end()
        last = end_of(masked, first, ';,')
        if last and masked[first] != '{' and masked[first:last].strip() != '0':
            yield 'assigns 0', [(first, last, '0' + blank(masked, first, last))]


def breaks(text, number):
    """All breaks of the line with that number, from 1."""
    masked = mask(text)
    start = sum(len(line) for line in text.splitlines(keepends=True)[:number - 1])
    end = masked.find('\n', start)
    for kind in (conditions, operators, returns, statements, values):
        yield from kind(masked, start, end)


def apply(text, edits):
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text
