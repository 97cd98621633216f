/**
 * The syntax of {@code --source} expressions and of key-value options.
 *
 * <p>Threading: the static methods are stateless, and may be called on any thread.
 *
 * <p>Depends on every package that defines a source; no other package of this module depends on it.
 */
package org.vhostuserrng.backends.expression;
