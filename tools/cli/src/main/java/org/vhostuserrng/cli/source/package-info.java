/** Sources as programs use them that, unlike the daemon, may wait for bytes. */
package org.vhostuserrng.cli.source;
