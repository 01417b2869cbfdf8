# A repository's first days.
set -eu
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org
export GIT_AUTHOR_DATE='2020-01-02T03:04:05Z' GIT_COMMITTER_DATE='2020-01-02T03:04:05Z' GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
git config --global init.defaultBranch main
git config --global gc.auto 0

mkdir repo; cd repo
git init -q
for i in $(seq 1 60); do mkdir -p "d$((i % 7))"; seq "$i" 300 >"d$((i % 7))/f$i"; done
git add . ; git commit -qm 'first'; git status --short --branch
for i in $(seq 1 12); do echo "line $i" >>"d1/f1"; git commit -qam "change $i"; done
git log --oneline | head -n 5; git log --stat -2 --format=%s; git rev-list --count HEAD

echo "== branches"
git switch -qc topic HEAD~4; echo topic >d2/topic; git add -A; git commit -qm topic
git switch -q main; git merge -q --no-edit -m 'merge topic' topic; git log --graph --format=%s -6
git switch -qc clash HEAD~2 2>/dev/null; echo other >d1/f1; git commit -qam clash; git merge main 2>&1 || git diff --name-only --diff-filter=U; git merge --abort; git switch -q main
git rebase -q main topic && git switch -q main; git stash list; echo dirt >>d3/f3; git stash -q; git stash pop -q; git diff --stat; git checkout -q d3/f3

echo "== store"
git gc -q --prune=now; git count-objects -v | grep -E '^(count|in-pack|packs)'; git fsck --full 2>&1 | grep -v '^Checking' || :
git repack -qadf --threads=2; git rev-parse HEAD; git cat-file -p HEAD: | head -n 3; git archive HEAD d1 | sha256sum

echo "== remotes"
cd ..; git clone -q repo clone; cd clone; git log -1 --format=%H; echo more >m; git add m; git commit -qm more
git push -q origin HEAD:refs/heads/pushed; git -C ../repo log -1 --format=%s pushed
git clone -q --bare file://"$RUN"/repo ../bare; git -C ../bare rev-parse HEAD; git fetch -q ../bare main; git submodule status; git worktree add -q ../wt HEAD~1; ls ../wt | wc -l
git grep -c topic -- d2; git blame -s d1/f1 | tail -n 1; git shortlog -s HEAD; git describe --always
printf '#!/bin/sh\necho "hook $1"\n' >.git/hooks/commit-msg; chmod +x .git/hooks/commit-msg; git commit -q --allow-empty -m hooked 2>&1 | sed 's/hook .*/hook/'; git bisect start HEAD HEAD~8 >/dev/null 2>&1; git bisect run sh -c '[ $(wc -l <d1/f1) -lt 308 ]' 2>&1 | tail -n 1 | cut -c1-20
