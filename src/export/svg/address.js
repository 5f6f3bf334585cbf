// SPDX-License-Identifier: MIT
// What is shown, as the address's fragment: a link or a reload brings it back. Anything in it may be wrong.
import { childrenOf } from './data.js';
import { isGroup, viewKey } from './layout.js';

export function readAddress(hash, tree) {
	const fields = new URLSearchParams(hash.replace(/^#/, ''));
	const view = fields.get('view');
	const theme = fields.get('theme');
	return {
		view: readView(fields.get('zoom'), tree),
		search: fields.get('search') || '',
		matchCase: fields.get('case') === '1',
		icicle: view ? view === 'icicle' : tree.inverted,
		theme: theme === 'dark' || theme === 'light' ? theme : 'auto',
	};
}

function readView(text, tree) {
	const match = /^(\d{1,10})(?:\.(\d{1,10})-(\d{1,10}))?$/.exec(text || '');
	const node = match ? Number(match[1]) : 0;
	if (node >= tree.count) return { node: 0 };
	if (!match || match[2] === undefined) return { node };
	const from = Number(match[2]);
	const to = Number(match[3]);
	return from < to && to <= childrenOf(tree, node).length ? { node, from, to } : { node };
}

export function writeAddress(state, tree) {
	const fields = new URLSearchParams();
	if (state.view.node || isGroup(state.view)) fields.set('zoom', viewKey(state.view));
	if (state.search) fields.set('search', state.search);
	if (state.matchCase) fields.set('case', '1');
	if (state.icicle !== tree.inverted) fields.set('view', state.icicle ? 'icicle' : 'flame');
	if (state.theme !== 'auto') fields.set('theme', state.theme);
	return '#' + fields;
}
