/** Tests of the entropy sources of a daemon. */
package org.vhostuserrng.it.source;
