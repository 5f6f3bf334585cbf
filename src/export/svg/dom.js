// SPDX-License-Identifier: MIT
// Elements. Text from the profile only ever becomes text nodes and attribute values.

const XHTML = 'http://www.w3.org/1999/xhtml';
const SVG = 'http://www.w3.org/2000/svg';

function build(namespace, tag, attributes, children) {
	const element = document.createElementNS(namespace, tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
		else element.setAttribute(name, value);
	}
	element.append(...children);
	return element;
}

export function html(tag, attributes = {}, ...children) {
	return build(XHTML, tag, attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
	return build(SVG, tag, attributes, children);
}
