// SPDX-License-Identifier: MIT
// Replaces the still picture by the page, keeps its state, and turns input into changes of it.
import { readAddress, writeAddress } from './address.js';
import { makeChart } from './chart.js';
import { decode } from './data.js';
import { html } from './dom.js';
import { groupMembers, isGroup, viewKey, viewTotal, widerView } from './layout.js';
import { makeBar, makeDetails, makeHelp } from './panels.js';
import { compile, findMatches, matchedSamples } from './search.js';
import { formatCount, formatPercent, parseUnit } from './text.js';

const ROWS_BELOW_ZOOM = 3;
const LEAST_MATCH_PX = 6; // a match narrower than this is zoomed to

function makePage(tree) {
	const state = readAddress(location.hash, tree);
	const show = {
		view: state.view,
		icicle: state.icicle,
		matches: null,
		focus: null,
		hover: null,
	};
	const secondsEach = parseUnit(tree.unit);
	const act = { search, toggleCase, step, flip, toggleTheme, help: () => help.showModal(), zoom };
	const bar = makeBar(tree, secondsEach, act);
	const details = makeDetails(tree, secondsEach);
	const help = makeHelp(tree);
	const main = html('main');
	const body = html('body', {}, bar.element, main, details.footer, details.tip, help);
	let chart = null;
	let darkRules = [];
	let arrangedFor = '';
	let searchError = '';

	function save(push) {
		const hash = writeAddress(state, tree);
		if (hash === (location.hash || '#')) return;
		if (push) location.hash = hash;
		else location.replace(hash);
	}
	function redraw() {
		show.hover = null;
		details.hideTip();
		chart.draw();
	}
	function rearrange() {
		show.view = state.view;
		show.icicle = state.icicle;
		body.className = state.icicle ? 'icicle' : 'flame';
		chart.arrange();
		arrangedFor = `${main.clientWidth} ${main.clientHeight}`;
	}
	function revealView() {
		const level = tree.depth[state.view.node];
		chart.reveal(level, Math.min(level, ROWS_BELOW_ZOOM), false);
	}
	function showView() {
		rearrange();
		revealView();
		bar.showCrumbs(state.view);
		bar.showLegend(state.view);
		showFound();
		redraw();
	}
	function zoom(view, focusKey) {
		if (viewKey(view) === viewKey(state.view)) return;
		const before = viewKey(state.view);
		state.view = view;
		show.focus =
			focusKey === undefined
				? show.focus && (isGroup(view) ? null : String(view.node))
				: focusKey;
		showView();
		if (show.focus && !chart.find(show.focus)) show.focus = chart.find(before) ? before : null;
		tellFocus();
		save(true);
	}
	function zoomOut() {
		if (state.view.node === 0 && !isGroup(state.view)) return false;
		zoom(widerView(tree, state.view), show.focus && viewKey(state.view));
		return true;
	}

	function findText() {
		const pattern = compile(state.search, state.matchCase);
		searchError = (pattern && pattern.error) || '';
		show.matches = pattern && !pattern.error ? findMatches(tree, pattern) : null;
	}
	function showFound() {
		const { matches } = show;
		if (!matches) return bar.showFound(state, '', searchError);
		const all = formatPercent(matchedSamples(tree, matches, [0]), tree.total[0]);
		const at = matches.nodes.indexOf(Number(show.focus));
		const place =
			at >= 0 && !String(show.focus).includes('.') ? `${formatCount(at + 1)} of ` : '';
		let text = `${all} in ${place}${formatCount(matches.nodes.length)} ${matches.nodes.length === 1 ? 'frame' : 'frames'}`;
		const inView = viewTotal(tree, state.view);
		if (inView < tree.total[0]) {
			const starts = isGroup(state.view) ? groupMembers(tree, state.view) : [state.view.node];
			text = `${formatPercent(matchedSamples(tree, matches, starts), inView)} of zoom, ${text}`;
		}
		return bar.showFound(state, matches.nodes.length ? text : 'no match', '');
	}
	function search(text) {
		state.search = text;
		findText();
		showFound();
		redraw();
		save(false);
	}
	function toggleCase() {
		state.matchCase = !state.matchCase;
		search(state.search);
	}
	// To the next match after the frame in focus, zooming to where it can be seen.
	function step(direction) {
		const nodes = show.matches ? show.matches.nodes : [];
		if (!nodes.length) return;
		const from = show.focus === null ? -1 : parseInt(show.focus, 10);
		let at =
			direction > 0
				? nodes.findIndex((node) => node > from)
				: nodes.findLastIndex((node) => node < from);
		if (from < 0 || at < 0) at = direction > 0 ? 0 : nodes.length - 1;
		focusNode(nodes[at]);
	}
	function focusNode(node) {
		const item = chart.find(String(node));
		if (item && item.width >= LEAST_MATCH_PX) return focusItem(item);
		let root = node;
		while (
			root > 0 &&
			(tree.total[node] / tree.total[tree.parent[root]]) * chart.width() >= LEAST_MATCH_PX
		)
			root = tree.parent[root];
		zoom({ node: root }, String(node));
		const shown = chart.find(String(node));
		return shown && focusItem(shown);
	}
	function focusItem(item) {
		show.focus = item.key;
		chart.reveal(item.level, 1, true);
		redraw();
		showFound();
		details.show(state.view, item);
	}
	function tellFocus() {
		const item = show.focus && chart.find(show.focus);
		if (item) details.show(state.view, item);
		else details.clear();
	}

	function flip() {
		state.icicle = !state.icicle;
		rearrange();
		revealView();
		redraw();
		save(false);
	}
	function isDark() {
		return state.theme === 'auto'
			? matchMedia('(prefers-color-scheme: dark)').matches
			: state.theme === 'dark';
	}
	function toggleTheme() {
		state.theme = isDark() ? 'light' : 'dark';
		applyTheme();
		save(false);
	}
	// The style sheets say what is dark by a media query; a choice made here replaces its condition.
	function applyTheme() {
		const condition = { auto: '(prefers-color-scheme: dark)', dark: 'all', light: 'not all' }[
			state.theme
		];
		document.documentElement.setAttribute('data-theme', isDark() ? 'dark' : 'light');
		for (const rule of darkRules) rule.media.mediaText = condition;
		chart.readTheme();
		chart.draw();
	}

	// The neighbour of the frame in focus; what is drawn above it is its child in flames, its parent in icicles.
	function neighbour(key) {
		const item = chart.find(show.focus || viewKey(state.view)) || chart.rows()[0][0];
		if (!show.focus) return item;
		const row = chart.rows()[item.level];
		const at = row.indexOf(item);
		if (key === 'ArrowLeft') return row[at - 1];
		if (key === 'ArrowRight') return row[at + 1];
		if ((key === 'ArrowUp') === state.icicle)
			return chart.find(String(item.rest ? item.node : tree.parent[item.node]));
		return item.rest ? null : widestChild(item);
	}
	function widestChild(item) {
		const above = chart.rows()[item.level + 1] || [];
		const children = above.filter(
			(other) => (other.rest ? other.node : tree.parent[other.node]) === item.node,
		);
		return children.reduce(
			(best, other) => (!best || other.width > best.width ? other : best),
			null,
		);
	}
	function enter(item) {
		zoom(item.rest ? { node: item.node, from: item.from, to: item.to } : { node: item.node });
	}
	function enterFocus() {
		const item = show.focus && chart.find(show.focus);
		if (item) enter(item);
	}
	function focusSearch() {
		bar.input.focus();
		bar.input.select();
	}

	const keys = {
		'/': focusSearch,
		F3: focusSearch,
		'?': act.help,
		n: () => step(1),
		N: () => step(-1),
		i: flip,
		t: toggleTheme,
		Home: () => zoom({ node: 0 }),
		0: () => zoom({ node: 0 }),
		Backspace: zoomOut,
		Escape: () => zoomOut() || (state.search && search('')),
		Enter: enterFocus,
	};
	function onKey(event) {
		const control = event.ctrlKey || event.metaKey;
		const key =
			event.key.length === 1 && control ? 'Ctrl-' + event.key.toLowerCase() : event.key;
		if (help.open || event.altKey) return;
		if (key === 'Ctrl-f') focusSearch();
		else if (key === 'Ctrl-i') toggleCase();
		else if (control) return;
		else if (event.target === bar.input) return void onSearchKey(event);
		else if (key === 'Enter' && event.target.localName === 'button') return;
		else if (key.startsWith('Arrow')) moveFocus(key);
		else if (Object.hasOwn(keys, key)) keys[key]();
		else return;
		event.preventDefault();
	}
	function onSearchKey(event) {
		if (event.key === 'Enter') {
			step(event.shiftKey ? -1 : 1);
		} else if (event.key === 'Escape') {
			if (state.search) search('');
			else chart.element.focus();
		} else if (event.key === 'ArrowDown' || event.key === 'F3') {
			chart.element.focus();
		} else {
			return;
		}
		event.preventDefault();
	}
	function moveFocus(key) {
		const item = neighbour(key);
		chart.element.focus({ preventScroll: true });
		if (item) focusItem(item);
	}

	function onPoint(event) {
		const item = chart.itemAt(event.clientX, event.clientY);
		chart.element.style.cursor = item ? 'pointer' : 'default';
		if (item !== show.hover) {
			show.hover = item;
			chart.draw();
			if (item) details.show(state.view, item);
			else tellFocus();
		}
		if (item && event.pointerType !== 'touch') details.moveTip(event.clientX, event.clientY);
		else details.hideTip();
	}
	function onLeave() {
		show.hover = null;
		details.hideTip();
		chart.draw();
		tellFocus();
	}
	function onScroll() {
		details.hideTip();
		chart.draw();
	}
	function onClick(event) {
		const item = chart.itemAt(event.clientX, event.clientY);
		if (!item || event.ctrlKey || event.metaKey) return;
		show.focus = null;
		enter(item);
	}
	function onAddress() {
		if ((location.hash || '#') === writeAddress(state, tree)) return;
		Object.assign(state, readAddress(location.hash, tree));
		show.focus = null;
		applyTheme();
		findText();
		showView();
	}

	// Called once at the start as well, when there is nothing to do.
	function onResize() {
		const size = `${main.clientWidth} ${main.clientHeight}`;
		if (size === arrangedFor) return;
		rearrange();
		revealView();
		redraw();
	}

	function start() {
		chart = makeChart(tree, main, show);
		chart.element.addEventListener('pointermove', onPoint);
		chart.element.addEventListener('pointerleave', onLeave);
		chart.element.addEventListener('click', onClick);
		main.addEventListener('scroll', onScroll);
		document.addEventListener('keydown', onKey);
		addEventListener('hashchange', onAddress);
		matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyTheme);
		darkRules = findDarkRules();
		applyTheme();
		findText();
		details.clear();
		showView();
		new ResizeObserver(onResize).observe(main);
		chart.element.focus({ preventScroll: true });
	}
	return { body, start };
}

function findDarkRules() {
	const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
	return rules.filter(
		(rule) => rule.media && rule.media.mediaText.includes('prefers-color-scheme'),
	);
}

// Only where the picture is a document of its own: inside of a page it stays a picture.
function begin() {
	const picture = document.documentElement;
	if (picture.localName !== 'svg') return;
	const tree = decode(JSON.parse(document.getElementById('fireglass-data').textContent));
	const style = ['fireglass-picture', 'fireglass-page'].map((id) =>
		html('style', {}, document.getElementById(id).textContent),
	);
	const head = html(
		'head',
		{},
		html('title', {}, picture.querySelector('title').textContent),
		html('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
		...style,
	);
	const page = makePage(tree);
	picture.replaceWith(html('html', { lang: 'en' }, head, page.body));
	page.start();
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin);
else begin();
