/**
 * The contract between a guest's ring and an entropy source, and the sources that combine other sources.
 *
 * <p>An {@link org.vhostuserrng.backends.source.EntropySourceSpec} is a parsed {@code --source} expression. Opened
 * through {@link org.vhostuserrng.backends.source.SourceRegistry}, it yields an
 * {@link org.vhostuserrng.backends.source.EntropySource} that never blocks.
 *
 * <p>Threading: confined to the event loop's thread, except for the {@code onReadable} callback, which any thread may
 * call.
 *
 * <p>Depends on {@code sys} only; every package except {@code sys}, {@code health} and {@code limiter} depends on it.
 */
package org.vhostuserrng.backends.source;
