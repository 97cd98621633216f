/**
 * Health tests of noise sources: the repetition count and adaptive proportion tests of SP 800-90B §4.4, and a test for
 * repeated byte sequences.
 *
 * <p>Threading: all types except SeenSequenceHashes are confined to the thread that reads the noise source.
 *
 * <p>Depends on no other package of this module.
 */
package org.vhostuserrng.backends.health;
