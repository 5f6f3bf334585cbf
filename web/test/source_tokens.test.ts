// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AT_START, lineStates, Token, tokenizeLine } from '../src/views/source_tokens.js';

const LETTERS = '.#sknd@'; // by Token

/** The kinds of the characters of a text, line by line: one letter each. */
function kinds(text: string): string[] {
	let state = AT_START;
	return text.split('\n').map((line) => {
		const { spans, state: next } = tokenizeLine(line, state);
		state = next;
		let out = '';
		for (let i = 0; i < spans.length; i += 2) {
			out += LETTERS[spans[i + 1]].repeat(spans[i] - out.length);
		}
		assert.equal(out.length, line.length);
		return out;
	});
}

test('keywords, names, numbers, comments', () => {
	assert.deepEqual(kinds('def f(x): # if'), ['kkk.d.....####']);
	assert.deepEqual(kinds('return 0x1F + 1.5e-3 + .5j'), ['kkkkkk.nnnn...nnnnnn...nnn']);
	assert.deepEqual(kinds('notif = iff'), ['...........']);
	assert.deepEqual(kinds('@app.route'), ['@@@@@@@@@@']);
	assert.deepEqual(kinds('a @ b'), ['.....']);
	assert.deepEqual(kinds('größe = 1'), ['........n']);
});

test('strings end where they end', () => {
	assert.deepEqual(kinds(`x = 'a"b' + "c'd"`), ['....sssss...sssss']);
	assert.deepEqual(kinds(`'a\\'b' if`), ['ssssss.kk']);
	assert.deepEqual(kinds(`r'\\' + 1`), ['ssssssss']);
	assert.deepEqual(kinds(`rb'x' Rb"y" if`), ['sssss.sssss.kk']);
	assert.deepEqual(kinds(`'open\nif`), ['sssss', 'kk']);
	assert.deepEqual(kinds(`'go on\\\nhere' if`), ['sssssss', 'sssss.kk']);
	assert.deepEqual(kinds(`'# no comment'`), ['ssssssssssssss']);
});

test('triple quotes go over lines', () => {
	assert.deepEqual(kinds(`"""a\nif 'b'\nc""" if`), ['ssss', 'ssssss', 'ssss.kk']);
	assert.deepEqual(kinds(`'''a "" '' b''' if`), ['sssssssssssssss.kk']);
	assert.deepEqual(kinds(`""""quoted""" if`), ['sssssssssssss.kk']);
});

test('fields of f-strings are code', () => {
	assert.deepEqual(kinds(`f'{x if y}' if`), ['ss...kk...s.kk']);
	assert.deepEqual(kinds(`f'{{x}}'`), ['ssssssss']);
	assert.deepEqual(kinds(`f'{n:#x}' # c`), ['ss......s.###']);
	assert.deepEqual(kinds(`f'{d["k"]}' if`), ['ss...sss..s.kk']);
	assert.deepEqual(kinds(`f'{d['k']}' if`), ['ss...sss..s.kk']);
	assert.deepEqual(kinds(`f'{ {1: 2}[1] }' if`), ['ss...n..n..n...s.kk']);
	assert.deepEqual(kinds(`f"""{a\n}b""" if`), ['ssss..', '.ssss.kk']);
	assert.deepEqual(kinds(`f'{open\nif`), ['ss.....', 'kk']);
});

test('states of all lines', () => {
	const states = lineStates(['x = """', 'a', '"""', 'y']);
	assert.deepEqual(
		states.map((state) => state.length),
		[0, 1, 1, 0],
	);
	assert.equal(states[3], AT_START);
});

test('each character has one kind, whatever the text', () => {
	let seed = 1;
	const random = (n: number): number => {
		seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
		return seed % n;
	};
	const parts = [
		`'`,
		`"`,
		`'''`,
		`"""`,
		'\\',
		'{',
		'}',
		'{{',
		'f',
		'rb',
		'#',
		'@',
		'if ',
		'1e',
		'\u{1f600}',
		'\0',
		' ',
	];
	for (let i = 0; i < 2000; i++) {
		const text = Array.from({ length: random(30) }, () => parts[random(parts.length)]).join('');
		const { spans } = tokenizeLine(text, AT_START);
		let last = 0;
		for (let k = 0; k < spans.length; k += 2) {
			assert.ok(spans[k] > last);
			assert.ok(spans[k + 1] >= Token.Plain && spans[k + 1] <= Token.Decorator);
			last = spans[k];
		}
		assert.equal(last, text.length);
	}
});

test('time grows no faster than the text', () => {
	const size = 400_000;
	const hostile = [`'`, '{', `f'{`, '\\', `f"{'`, 'e+', 'a', ' ', '@', `'''`, '1', '"""{', '#'];
	for (const part of hostile) {
		const text = part.repeat(size / part.length);
		const start = performance.now();
		tokenizeLine(text, AT_START);
		lineStates(Array.from({ length: 2000 }, () => part.repeat(50)));
		assert.ok(performance.now() - start < 3000, `${JSON.stringify(part)} takes too long`);
	}
});
