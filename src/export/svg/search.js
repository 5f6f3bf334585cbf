// SPDX-License-Identifier: MIT
// Search by regular expression over functions.

const LONGEST = 4096; // characters of a name that are looked at

// { test } or { error }; null for an empty text.
export function compile(text, matchCase) {
	if (!text) return null;
	try {
		const pattern = new RegExp(text, matchCase ? '' : 'i');
		return { test: (s) => pattern.test(s.length > LONGEST ? s.slice(0, LONGEST) : s) };
	} catch (error) {
		return { error: String(error.message).replace(/^Invalid regular expression: /, '') };
	}
}

// The name, the file, or "name (file:line)" may match. Returns nodes in order, a flag per function, and
// per node how many matches are before it.
export function findMatches(tree, pattern) {
	const hit = tree.functions.map(
		({ name, file, first }) =>
			pattern.test(name) ||
			(file !== '' &&
				(pattern.test(file) ||
					pattern.test(`${name} (${file}${first ? ':' + first : ''})`))),
	);
	const nodes = [];
	const before = new Uint32Array(tree.count + 1);
	for (let i = 0; i < tree.count; i++) {
		before[i] = nodes.length;
		if (i > 0 && hit[tree.fn[i]]) nodes.push(i);
	}
	before[tree.count] = nodes.length;
	return { hit, nodes, before };
}

export function hasMatch(matches, tree, node) {
	return matches.before[tree.end[node]] > matches.before[node];
}

// Samples below `starts` that have a match on their stack; a match inside a match adds nothing.
export function matchedSamples(tree, matches, starts) {
	let samples = 0;
	for (const start of starts) {
		for (let i = start; i < tree.end[start];) {
			if (i > 0 && matches.hit[tree.fn[i]]) {
				samples += tree.total[i];
				i = tree.end[i];
			} else {
				i++;
			}
		}
	}
	return samples;
}
