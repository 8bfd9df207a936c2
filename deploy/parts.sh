#!/bin/sh
# Lay a site out for its parts: who owns what in it, and who may read. Run as root when the site is made, after a restore,
# and after a command that root ran on it; doing it again changes nothing.
#
#   deploy/parts.sh /srv/gatehouse/site
#
# The users are made where they are missing. Other names (or numbers) may follow the site, in this order:
# operator, web, decider, writer, sealer. All of them are in the operator's group, which alone gets into the site.
set -eu
site=$1
operator=${2:-gatehouse} web=${3:-gatehouse-web} decider=${4:-gatehouse-decider}
writer=${5:-gatehouse-writer} sealer=${6:-gatehouse-sealer}
for user in "$operator" "$web" "$decider" "$writer" "$sealer"; do
    case $user in
        *[!0-9]*) id "$user" >/dev/null 2>&1 || useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
                  [ "$user" = "$operator" ] || usermod --append --groups "$operator" "$user" ;;
    esac
done

own() { # own USER:GROUP MODE FOLDER…: makes the folders, and gives everything in them to one part
    whose=$1 mode=$2; shift 2
    for each; do
        mkdir -p "$each"; chown -R "$whose" "$each"; chmod "$mode" "$each"
    done
}
cd "$site"
chown "$operator:$operator" .; chmod 0750 .
for each in gatehouse.toml parties.toml witnesses.policy oversight.policy log.vkey custodian.vkey; do
    [ ! -e $each ] || { chown "$operator:$operator" $each; chmod 0640 $each; }
done
own "$operator:$operator" 0755 endorsements losses
own "$decider:$decider" 0755 packs orders # law comes into force by the signatures of two offices, whoever lays it there
chmod -R u=rwX,go=rX packs orders endorsements losses

# keys: each is read by its part alone, and nobody lists the folder
chown root:root keys; chmod 0711 keys
[ ! -e keys/log.key ] || { chown "$writer:$writer" keys/log.key; chmod 0400 keys/log.key; }
[ ! -e keys/custodian.key ] || { chown "$sealer:$sealer" keys/custodian.key; chmod 0400 keys/custodian.key; }
for each in sessions accounts; do # secrets of the doors
    [ -e keys/$each.key ] || head -c 32 /dev/urandom | base64 -w0 > keys/$each.key
    chown "$web:$web" keys/$each.key; chmod 0400 keys/$each.key
done

# history: the log writer writes it, everybody of the site reads it
own "$writer:$writer" 0755 ledger ledger-state events carried
chmod -R u=rwX,go=rX ledger events carried
[ ! -e ledger-state/ledger.sqlite3 ] || chmod 0644 ledger-state/ledger.sqlite3
[ ! -e ledger-state/pending ] || chmod 0600 ledger-state/pending

# dockets: the decider's; openings in them are the log writer's, and nobody else removes them
own "$decider:$writer" 2755 dockets
find dockets -type d -exec chmod 2755 {} +
find dockets -type f -exec chmod 0644 {} +
find dockets -type f \( -name vault.parquet -o -path '*/persons/*' -o -path '*/recalls/*' -o -name disclosures.parquet \) -exec chmod 0600 {} +
find dockets -type f -path '*/persons/*' -exec chown "$decider:$sealer" {} + -exec chmod 0640 {} + # released before
find dockets -type d -name events -exec chmod 3775 {} + -exec chown -R "$writer:$writer" {} +
find dockets -type d -name events -exec chown "$decider:$writer" {} + -exec chmod 3775 {} +

own "$decider:$decider" 0700 index decider
own "$decider:$decider" 0755 answers trust
own "$web:$decider" 2770 inbox
own "$web:$web" 0755 halts halts-waiting
own "$web:$web" 0700 drafts
own "$sealer:$sealer" 0700 sealer
mkdir -p spill; chown root:root spill; chmod 1777 spill
touch .halts.lock; chown "$web:$web" .halts.lock
# a register kept as files is for the decider and the sealer
if [ -d register ]; then
    chown -R "$decider:$sealer" register; chmod 0550 register; chmod -R o= register; find register -type f -exec chmod 0440 {} +
fi
